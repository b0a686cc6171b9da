package sip_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/sip"
)

// lobby is a TCP listener in memory.
type lobby struct {
	at    netip.AddrPort
	calls chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newLobby(at netip.AddrPort) *lobby {
	return &lobby{at: at, calls: make(chan net.Conn), done: make(chan struct{})}
}

func (l *lobby) Accept() (net.Conn, error) {
	select {
	case c := <-l.calls:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *lobby) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *lobby) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.at) }

// end is one end of a connection in memory.
type end struct {
	net.Conn
	local, remote netip.AddrPort
}

func (e end) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(e.local) }
func (e end) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(e.remote) }

// connect comes in from an address.
func (l *lobby) connect(t testing.TB, from netip.AddrPort) *stream {
	ours, theirs := net.Pipe()
	l.calls <- end{theirs, l.at, from}
	t.Cleanup(func() { ours.Close() })
	return &stream{t, end{ours, from, l.at}, bufio.NewReader(ours)}
}

// lasts is how long the switch leaves the connection open, watched for so long
// at most.
func (s *stream) lasts(most time.Duration) time.Duration {
	start := time.Now()
	_ = s.SetReadDeadline(start.Add(most))
	for {
		_, err := s.r.ReadByte()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return most
		case err != nil:
			return time.Since(start)
		}
	}
}

// visits is a story with a TCP listener.
func visits(t *testing.T, f func(b *bench, l *lobby)) {
	t.Helper()
	var l *lobby
	story(t, func(b *bench) { f(b, l) }, func(c *sip.Config) {
		l = newLobby(switchAt)
		c.Listen = append(c.Listen, "tcp://"+switchAt.String())
		c.ListenStream = func(string, string) (net.Listener, error) { return l, nil }
	})
}

func (s *stream) options(n int) {
	s.t.Helper()
	s.write(request("OPTIONS", fmt.Sprintf("TCP h;branch=z9hG4bKo%d", n), "opt", n, "<sip:a@b>", ""))
	if m := s.read(); !strings.HasPrefix(m.start, "SIP/2.0 200") {
		s.t.Errorf("got %+v", m)
	}
}

// register registers alice for a time.
func (s *stream) register(expires time.Duration) {
	s.t.Helper()
	text := func(cseq int, extra ...string) string {
		return strings.Join(append([]string{"REGISTER sip:10.0.0.1 SIP/2.0", fmt.Sprintf("Via: SIP/2.0/TCP h;branch=z9hG4bKr%d;rport", cseq),
			"From: <sip:alice@10.0.0.1>;tag=reg", "To: <sip:alice@10.0.0.1>", "Call-ID: reg" + s.LocalAddr().String(), fmt.Sprintf("CSeq: %d REGISTER", cseq),
			fmt.Sprintf("Contact: <sip:alice@192.168.1.7;transport=tcp>;expires=%d", expires/time.Second)}, extra...), "\r\n") + "\r\nContent-Length: 0\r\n\r\n"
	}
	s.write(text(1))
	s.write(text(2, credentials(s.t, s.read(), "REGISTER", "sip:10.0.0.1", "secret")))
	if m := s.read(); !strings.HasPrefix(m.start, "SIP/2.0 200") {
		s.t.Errorf("got %+v", m)
	}
}

// A stranger's connection is closed when nothing comes of it: octets that make no
// message, and keepalives, keep nothing open.
func TestAttack07SlowConnections(t *testing.T) {
	visits(t, func(b *bench, l *lobby) {
		mute := l.connect(b.t, strangerAt)
		if d := mute.lasts(time.Hour); d != 30*time.Second {
			t.Errorf("one that says nothing lasts %v", d)
		}
		slow := l.connect(b.t, strangerAt)
		go func() {
			for _, c := range "OPTIONS sip:" + strings.Repeat("x", 100) {
				if _, err := io.WriteString(slow.Conn, string(c)); err != nil {
					return
				}
				time.Sleep(10 * time.Second)
			}
		}()
		if d := slow.lasts(time.Hour); d != 30*time.Second {
			t.Errorf("one that dribbles lasts %v", d)
		}
		polite := l.connect(b.t, strangerAt)
		polite.options(1)
		go func() {
			for {
				if _, err := io.WriteString(polite.Conn, "\r\n"); err != nil {
					return
				}
				time.Sleep(20 * time.Second)
			}
		}()
		if d := polite.lasts(time.Hour); d != 2*time.Minute {
			t.Errorf("one that said one thing lasts %v", d)
		}
		trunk := l.connect(b.t, netip.AddrPortFrom(trunkAt.Addr(), 40000))
		if d := trunk.lasts(time.Hour); d != 15*time.Minute {
			t.Errorf("a trunk's lasts %v", d)
		}
	})
}

// However many connections strangers open, a trunk finds room, and so does a
// phone at another address.
func TestStrangersLeaveRoom(t *testing.T) {
	visits(t, func(b *bench, l *lobby) {
		in := 0
		for i := range 200 {
			if l.connect(b.t, netip.AddrPortFrom(strangerAt.Addr(), uint16(10000+i))).lasts(time.Millisecond) == time.Millisecond {
				in++
			}
		}
		if in != 64 {
			t.Errorf("%d connections from one address", in)
		}
		all := in
		for i := range 100 {
			for j := range 50 {
				from := netip.AddrFrom4([4]byte{172, 16, 0, byte(i)})
				ours, theirs := net.Pipe()
				defer ours.Close()
				l.calls <- end{theirs, l.at, netip.AddrPortFrom(from, uint16(20000+j))}
				all++
			}
		}
		synctest.Wait()
		if l.connect(b.t, phoneAt).lasts(time.Millisecond) != 0 {
			t.Errorf("strangers may hold all of %d connections", all)
		}
		l.connect(b.t, netip.AddrPortFrom(trunkAt.Addr(), 40000)).options(1)
		time.Sleep(time.Minute)
		l.connect(b.t, phoneAt).options(2)
	})
}

// A connection that a phone has registered over stays as long as the
// registration, and calls reach the phone by it.
func TestRegisteredConnectionStays(t *testing.T) {
	visits(t, func(b *bench, l *lobby) {
		phone := l.connect(b.t, phoneAt)
		phone.register(time.Hour)
		if d := phone.lasts(50 * time.Minute); d != 50*time.Minute {
			t.Errorf("lasts %v", d)
		}
		bindings := b.ep.Bindings("alice")
		if len(bindings) != 1 {
			t.Fatalf("bindings %+v", bindings)
		}
		o := b.dial(sip.Dial{Target: sip.Target{Binding: &bindings[0]}, To: "alice"})
		inv := phone.read()
		phone.write(strings.Join([]string{"SIP/2.0 486 Busy Here", "Via: " + inv.get("Via"), "From: " + inv.get("From"), "To: " + inv.get("To") + ";tag=z",
			"Call-ID: " + inv.get("Call-ID"), "CSeq: " + inv.get("CSeq"), "Content-Length: 0", "", ""}, "\r\n"))
		phone.read()
		told[sip.Rejected](o)
		if d := phone.lasts(time.Hour); d < 10*time.Minute || d > 16*time.Minute {
			t.Errorf("lasts %v more", d)
		}
	})
}

// A phone whose connection is gone is not called in vain.
func TestBindingsEndWithTheirConnection(t *testing.T) {
	visits(t, func(b *bench, l *lobby) {
		phone := l.connect(b.t, phoneAt)
		phone.register(time.Hour)
		_ = phone.Close()
		synctest.Wait()
		if n := len(b.ep.Bindings("alice")); n != 0 {
			t.Errorf("%d bindings without a connection", n)
		}
	})
}

// Who is banned does not get in, and is thrown out.
func TestBannedConnections(t *testing.T) {
	visits(t, func(b *bench, l *lobby) {
		thief := l.connect(b.t, strangerAt)
		for i := range 6 {
			if _, err := io.WriteString(thief.Conn, request("INVITE", fmt.Sprintf("TCP h;branch=z9hG4bKi%d", i), "thief", i+1, "<sip:a@b>", offerSDP)); err != nil {
				break
			}
			if i < 4 {
				thief.read()
			}
		}
		if d := thief.lasts(time.Minute); d != 0 {
			t.Errorf("banned, its connection lasts %v", d)
		}
		if d := l.connect(b.t, strangerAt).lasts(time.Minute); d != 0 {
			t.Errorf("banned, another connection lasts %v", d)
		}
	})
}
