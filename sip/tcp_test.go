package sip_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"b2bua/internal/loop"
	"b2bua/sip"
)

// loopback is a Directory that trusts this machine.
type loopback struct{ book }

func (loopback) TrunkBySource(a netip.Addr) (sip.Trunk, bool) {
	return sip.Trunk{ID: "trunk_1"}, a.IsLoopback()
}

type handle func(*sip.Invitation)

func (h handle) Invited(in *sip.Invitation) { h(in) }

func serve(t testing.TB, h sip.Handler, listen ...string) (*sip.Endpoint, []net.Addr) {
	t.Helper()
	return serveBy(t, h, sip.Config{Listen: listen})
}

func serveBy(t testing.TB, h sip.Handler, cfg sip.Config) (*sip.Endpoint, []net.Addr) {
	t.Helper()
	ep, err := sip.New(cfg, loopback{}, h, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- ep.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-ep.Ready():
	case err := <-done:
		done <- err
		t.Fatal(err)
	}
	return ep, ep.Addrs()
}

// stream is a far end on TCP.
type stream struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func (s *stream) read() message {
	s.t.Helper()
	_ = s.SetReadDeadline(time.Now().Add(10 * time.Second))
	var head strings.Builder
	length := 0
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			s.t.Fatal(err)
		}
		if line == "\r\n" && head.Len() == 0 {
			continue // a pong
		}
		if line == "\r\n" {
			break
		}
		head.WriteString(line)
		if v, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			length, _ = strconv.Atoi(strings.TrimSpace(v))
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(s.r, body); err != nil {
		s.t.Fatal(err)
	}
	return parse(head.String() + "\r\n" + string(body))
}

func (s *stream) write(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.Conn, text); err != nil {
		s.t.Fatal(err)
	}
}

func request(method, via, callID string, cseq int, to, body string, extra ...string) string {
	lines := append([]string{method + " sip:+15551000@127.0.0.1 SIP/2.0", "Via: SIP/2.0/" + via, "Max-Forwards: 70",
		"From: <sip:+15559999@127.0.0.1>;tag=far", "To: " + to, "Call-ID: " + callID, fmt.Sprintf("CSeq: %d %s", cseq, method)}, extra...)
	if body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	return strings.Join(lines, "\r\n") + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

func TestCallOverTCP(t *testing.T) {
	taken := make(chan *owner, 1)
	b := &bench{t: t}
	_, addrs := serve(t, handle(func(in *sip.Invitation) {
		o := b.owner()
		o.leg = in.Take(o.loop.Post, o.on)
		taken <- o
	}), "tcp://127.0.0.1:0", "udp://127.0.0.1:0")
	c, err := net.Dial("tcp", addrs[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	far := &stream{t, c, bufio.NewReader(c)}
	contact := "Contact: <sip:far@" + c.LocalAddr().String() + ";transport=tcp>"
	// In two pieces, after a keepalive.
	text := "\r\n\r\n" + request("INVITE", "TCP 127.0.0.1:9;branch=z9hG4bKt1", "tcp1", 1, "<sip:+15551000@127.0.0.1>", offerSDP, contact)
	far.write(text[:100])
	time.AfterFunc(20*time.Millisecond, func() { _, _ = io.WriteString(c, text[100:]) })
	if pong, err := far.r.ReadString('\n'); err != nil || pong != "\r\n" {
		t.Fatalf("got %q, %v", pong, err)
	}
	if m := far.read(); !strings.HasPrefix(m.start, "SIP/2.0 100") {
		t.Fatalf("got %+v", m)
	}
	o := <-taken
	o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
	ok := far.read()
	if !strings.HasPrefix(ok.start, "SIP/2.0 200") || !strings.Contains(ok.get("Contact"), ";transport=tcp") {
		t.Fatalf("got %+v", ok)
	}
	far.write(request("ACK", "TCP 127.0.0.1:9;branch=z9hG4bKt2", "tcp1", 1, ok.get("To"), ""))
	told[sip.Confirmed](o)
	o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
	bye := far.read()
	if !strings.HasPrefix(bye.start, "BYE sip:far@") || !strings.HasPrefix(bye.get("Via"), "SIP/2.0/TCP ") {
		t.Fatalf("got %+v", bye)
	}
}

func TestDialOverTCP(t *testing.T) {
	ep, _ := serve(t, decline{}, "udp://127.0.0.1:0", "tcp://127.0.0.1:0")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := &bench{t: t, ep: ep}
	o := b.dial(sip.Dial{Target: sip.Target{URI: "sip:" + l.Addr().String() + ";transport=tcp"}})
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	far := &stream{t, c, bufio.NewReader(c)}
	inv := far.read()
	via := inv.get("Via")
	far.write(strings.Join([]string{"SIP/2.0 486 Busy Here", "Via: " + via, "From: " + inv.get("From"), "To: " + inv.get("To") + ";tag=z",
		"Call-ID: " + inv.get("Call-ID"), "CSeq: " + inv.get("CSeq"), "Content-Length: 0", "", ""}, "\r\n"))
	if ack := far.read(); !strings.HasPrefix(ack.start, "ACK") {
		t.Errorf("got %+v", ack)
	}
	if ev := told[sip.Rejected](o); ev.Code != 486 {
		t.Errorf("rejected %+v", ev)
	}
	_ = l.Close()
	start := time.Now()
	o = b.dial(sip.Dial{Target: sip.Target{URI: "sip:127.0.0.1:1;transport=tcp"}})
	if ev := told[sip.Rejected](o); ev.Code != 503 || time.Since(start) > time.Second {
		t.Errorf("%+v after %v", ev, time.Since(start))
	}
}

func TestAttack06ContentLengthOfStreams(t *testing.T) {
	_, addrs := serve(t, decline{}, "tcp://127.0.0.1:0")
	c, err := net.Dial("tcp", addrs[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// Content-Length is a promise of the sender, not an order to allocate.
	_, _ = io.WriteString(c, "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nContent-Length: 4294967295\r\n\r\n")
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the connection stays: %v", err)
	}
}

// BenchmarkCall is INVITE, 100, 180, 200, ACK, BYE, 200 over the loopback
// interface, both ends in this process; the far end does next to nothing.
func BenchmarkCall(b *testing.B) {
	l := loop.New()
	go l.Run(context.Background())
	defer l.Stop()
	ep, addrs := serve(b, handle(func(in *sip.Invitation) {
		leg := in.Take(l.Post, func(sip.Event) {})
		l.Post(func() {
			leg.Ring()
			leg.Answer([]byte(answerSDP))
		})
	}), "udp://127.0.0.1:0")
	c, err := net.Dial("udp", addrs[0].String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	via := "UDP " + c.LocalAddr().String() + ";rport;branch=z9hG4bKb"
	contact := "Contact: <sip:far@" + c.LocalAddr().String() + ">"
	buf := make([]byte, 4096)
	wait := func(code string) string {
		for {
			_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
			n, err := c.Read(buf)
			if err != nil {
				b.Fatal(err)
			}
			if text := string(buf[:n]); strings.HasPrefix(text, "SIP/2.0 "+code) {
				return text
			}
		}
	}
	b.ReportAllocs()
	i, before := 0, cpuTime(b)
	for b.Loop() {
		i++
		id, n := fmt.Sprintf("bench%d", i), strconv.Itoa(i)
		_, _ = io.WriteString(c, request("INVITE", via+"i"+n, id, 1, "<sip:+15551000@127.0.0.1>", offerSDP, contact))
		to := parse(wait("200")).get("To")
		_, _ = io.WriteString(c, request("ACK", via+"a"+n, id, 1, to, ""))
		_, _ = io.WriteString(c, request("BYE", via+"b"+n, id, 2, to, ""))
		wait("200")
	}
	b.StopTimer()
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(i), "cpu-µs/call")
	if s := ep.Stats(); s.Legs != 0 || s.Panics != 0 {
		b.Errorf("left over: %+v", s)
	}
}

// cpuTime is the processor time of this process so far, user and system.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
