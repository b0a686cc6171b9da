package guard_test

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/sip/guard"
	"b2bua/testbench/memnet"
)

var (
	server = netip.MustParseAddrPort("10.0.0.1:5060")
	phone  = netip.MustParseAddrPort("10.0.0.2:5060")
)

const options = "OPTIONS sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1;rport\r\n" +
	"From: <sip:a@10.0.0.2>;tag=1\r\nTo: <sip:b@10.0.0.1>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

// wired is a guarded socket, a plain one opposite, and what got through.
type wired struct {
	conn   *guard.Conn
	guard  *guard.Guard
	remote *memnet.Conn
	passed chan string
	end    chan error
}

func wire(t *testing.T, cfg guard.Config, more guard.ConnConfig) *wired {
	t.Helper()
	n := memnet.New()
	local, err := n.Listen(server)
	if err != nil {
		t.Fatal(err)
	}
	remote, err := n.Listen(phone)
	if err != nil {
		t.Fatal(err)
	}
	more.Guard, more.Log = guard.New(cfg), slog.New(slog.DiscardHandler)
	w := &wired{conn: guard.Wrap(local, more), guard: more.Guard, remote: remote, passed: make(chan string, 100), end: make(chan error, 1)}
	go func() {
		w.end <- w.conn.Serve(func(pc net.PacketConn) error {
			b := make([]byte, 65535)
			for {
				n, _, err := pc.ReadFrom(b)
				if errors.Is(err, net.ErrClosed) {
					return nil
				}
				if err != nil {
					return err
				}
				w.passed <- string(b[:n])
			}
		})
	}()
	t.Cleanup(func() {
		_ = w.conn.Close()
		_ = remote.Close()
		if err := <-w.end; err != nil {
			t.Errorf("reader ended with %v", err)
		}
	})
	return w
}

func (w *wired) send(t *testing.T, s string) {
	t.Helper()
	if _, err := w.remote.WriteToUDPAddrPort([]byte(s), server); err != nil {
		t.Fatal(err)
	}
	pass(10 * time.Millisecond)
}

// pass lets virtual time go by, and everybody do what is to be done by then.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// answer is what came back to the plain socket, empty when nothing did.
func (w *wired) answer(t *testing.T) string {
	t.Helper()
	_ = w.remote.SetReadDeadline(time.Now().Add(time.Millisecond))
	b := make([]byte, 4000)
	n, _, err := w.remote.ReadFromUDPAddrPort(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestWhatPassesAndWhatDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := wire(t, guard.Config{}, guard.ConnConfig{MaxMessage: 4000})
		for _, c := range []struct {
			name, in, out string
			passes        bool
		}{
			{"a request", options, "", true},
			{"ping", "\r\n\r\n", "\r\n", false},
			{"single CRLF", "\r\n", "", false},
			{"nothing", "", "", false},
			{"NULs", "\x00\x00\x00\x00", "", false},
			{"noise", strings.Repeat("x", 500), "", false},
			{"STUN", "\x00\x01\x00\x00\x21\x12\xa4\x42" + strings.Repeat("x", 12), "", false},
			{"HTTP", "GET / HTTP/1.1\r\nHost: x.example.com\r\n\r\n", "", false},
			{"too large", strings.Replace(options, "Call-ID: c", "Call-ID: c"+strings.Repeat("c", 4000), 1), "", false},
			{"no To", strings.Replace(options, "To: <sip:b@10.0.0.1>\r\n", "", 1), "", false},
			{"bad request", strings.Replace(options, "CSeq: 1 OPTIONS", "CSeq: 1 INVITE", 1), "SIP/2.0 400 CSeq Method Mismatch\r\n", false},
			{"bad ACK", strings.NewReplacer("OPTIONS", "ACK", "Length: 0", "Length: 9").Replace(options), "", false},
			{"old version", strings.Replace(options, " SIP/2.0\r\nVia", " SIP/3.0\r\nVia", 1), "SIP/2.0 505 Version Not Supported\r\n", false},
		} {
			w.send(t, c.in)
			select {
			case got := <-w.passed:
				if !c.passes || got != c.in {
					t.Errorf("%s: passed %q", c.name, got)
				}
			default:
				if c.passes {
					t.Errorf("%s: dropped", c.name)
				}
			}
			if got := w.answer(t); (c.out == "") != (got == "") || !strings.HasPrefix(got, c.out) {
				t.Errorf("%s: answered %q", c.name, got)
			}
		}
	})
}

func TestRefusalAnswersTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := wire(t, guard.Config{}, guard.ConnConfig{})
		in := strings.Replace(options, "Content-Length: 0", "no colon here", 1)
		in = strings.Replace(in, "Via:", "v: SIP/2.0/UDP 10.0.0.9:5062;branch=z9hG4bK0\r\nVia:", 1)
		w.send(t, in)
		got := w.answer(t)
		want := "SIP/2.0 400 Malformed Header\r\nv: SIP/2.0/UDP 10.0.0.9:5062;branch=z9hG4bK0\r\n" +
			"Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1;rport\r\nFrom: <sip:a@10.0.0.2>;tag=1\r\nTo: <sip:b@10.0.0.1>;tag="
		if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n") {
			t.Errorf("answered %q", got)
		}
		w.send(t, in)
		if again := w.answer(t); again != got {
			t.Errorf("the retransmission was answered %q", again)
		}
	})
}

func TestBannedSourceIsNotHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := wire(t, guard.Config{Strikes: 1}, guard.ConnConfig{})
		w.guard.Strike(phone.Addr())
		w.send(t, options)
		w.send(t, "\r\n\r\n")
		if len(w.passed) > 0 || w.answer(t) != "" {
			t.Error("a banned source was heard")
		}
		if c := w.conn.Counts(); c.Blocked != 1 || c.Keepalives != 1 {
			t.Errorf("%+v", c)
		}
	})
}

// After MaxPeers sources the reader is renewed, and nothing is lost by it.
func TestServeRenewsTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		local, err := n.Listen(server)
		if err != nil {
			t.Fatal(err)
		}
		c := guard.Wrap(local, guard.ConnConfig{Guard: guard.New(guard.Config{}), Log: slog.New(slog.DiscardHandler), MaxPeers: 3})
		readers, heard, first := 0, 0, net.PacketConn(nil)
		end := make(chan error)
		go func() {
			end <- c.Serve(func(pc net.PacketConn) error {
				if readers++; first == nil {
					first = pc
				}
				b := make([]byte, 2000)
				for {
					_, from, err := pc.ReadFrom(b)
					if err != nil {
						return pc.Close()
					}
					heard++
					if _, err := first.WriteTo([]byte("ok"), from); err != nil {
						return err
					}
				}
			})
		}()
		for range 10 {
			peer, err := n.Listen(netip.AddrPort{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := peer.WriteToUDPAddrPort([]byte(options), server); err != nil {
				t.Fatal(err)
			}
			if _, _, err := peer.ReadFromUDPAddrPort(make([]byte, 10)); err != nil {
				t.Fatal(err)
			}
			_ = peer.Close()
		}
		_ = c.Close()
		if err := <-end; err != nil || readers != 4 || heard != 10 {
			t.Errorf("%d readers heard %d, %v", readers, heard, err)
		}
	})
}

// failing gives errors instead of datagrams.
type failing struct {
	*memnet.Conn
	left int
}

func (f *failing) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	if f.left > 0 {
		f.left--
		return 0, netip.AddrPort{}, errors.New("no buffer space available")
	}
	return f.Conn.ReadFromUDPAddrPort(b)
}

func TestReadErrorDoesNotEndTheListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		local, err := n.Listen(server)
		if err != nil {
			t.Fatal(err)
		}
		c := guard.Wrap(&failing{local, 25}, guard.ConnConfig{Guard: guard.New(guard.Config{}), Log: slog.New(slog.DiscardHandler)})
		defer c.Close()
		if _, err := local.WriteToUDPAddrPort([]byte(options), server); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 2000)
		if _, from, err := c.ReadFrom(b); err != nil || from.String() != server.String() {
			t.Errorf("from %v, %v", from, err)
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		if _, _, err := c.ReadFrom(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline: %v", err)
		}
		if got := c.Counts(); got.Errors != 25 || got.Passed != 1 {
			t.Errorf("%+v", got)
		}
	})
}

func TestCloseEndsAFailingReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		local, err := memnet.New().Listen(server)
		if err != nil {
			t.Fatal(err)
		}
		c := guard.Wrap(&failing{local, 1 << 30}, guard.ConnConfig{Guard: guard.New(guard.Config{}), Log: slog.New(slog.DiscardHandler)})
		end := make(chan error)
		go func() {
			_, _, err := c.ReadFrom(make([]byte, 10))
			end <- err
		}()
		pass(time.Minute)
		_ = c.Close()
		if err := <-end; !errors.Is(err, net.ErrClosed) {
			t.Errorf("ended with %v", err)
		}
	})
}

// repeating is a socket on which the same datagram comes again and again.
type repeating struct {
	net.PacketConn
	datagram []byte
	left     int
}

func (r *repeating) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	if r.left == 0 {
		return 0, netip.AddrPort{}, net.ErrClosed
	}
	r.left--
	return copy(b, r.datagram), phone, nil
}

func (r *repeating) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) { return len(b), nil }

func TestDroppingAllocatesNothing(t *testing.T) {
	broken := strings.Replace(options, "CSeq: 1 OPTIONS", "CSeq: 1 INVITE", 1)
	for name, datagram := range map[string]string{
		"noise": strings.Repeat("x", 500), "ping": "\r\n\r\n", "broken": broken, "over the rate": options,
	} {
		r := &repeating{datagram: []byte(datagram)}
		g := guard.New(guard.Config{Burst: 1, Rate: 1e-9})
		g.Allow(phone.Addr(), 100)
		c := guard.Wrap(r, guard.ConnConfig{Guard: g, Log: slog.New(slog.DiscardHandler)})
		b := make([]byte, 4000)
		if n := testing.AllocsPerRun(10, func() {
			r.left = 1000
			_, _, _ = c.ReadFrom(b)
		}); n > 1 {
			t.Errorf("%s: %v allocations for 1000 datagrams", name, n)
		}
	}
}

func BenchmarkPass(b *testing.B) {
	r := &repeating{datagram: []byte(options)}
	g := guard.New(guard.Config{Trusted: func(netip.Addr) bool { return true }})
	c := guard.Wrap(r, guard.ConnConfig{Guard: g, Log: slog.New(slog.DiscardHandler)})
	buf := make([]byte, 4000)
	b.ReportAllocs()
	for b.Loop() {
		r.left = 1
		if _, _, err := c.ReadFrom(buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDrop(b *testing.B) {
	r := &repeating{datagram: []byte(strings.Repeat("x", 500))}
	c := guard.Wrap(r, guard.ConnConfig{Guard: guard.New(guard.Config{}), Log: slog.New(slog.DiscardHandler)})
	buf := make([]byte, 4000)
	b.ReportAllocs()
	for b.Loop() {
		r.left = 100
		_, _, _ = c.ReadFrom(buf)
	}
}
