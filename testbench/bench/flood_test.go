package bench_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"b2bua/sip"
)

// yard is a Directory that trusts 127.0.0.1 and nobody else.
type yard struct{}

func (yard) TrunkBySource(a netip.Addr) (sip.Trunk, bool) {
	return sip.Trunk{ID: "trunk_1"}, a == netip.MustParseAddr("127.0.0.1")
}
func (yard) TrunkByUsername(string) (sip.Trunk, string, bool) { return sip.Trunk{}, "", false }

func (yard) Device(string) (sip.Device, bool) { return sip.Device{}, false }

// busy refuses every call: what is measured is the way there.
type busy struct{}

func (busy) Invited(in *sip.Invitation) { in.Reject(486, "") }

const (
	floodRate = 2000 // INVITEs a second of strangers
	floodTime = 3 * time.Second
	callEvery = 20 * time.Millisecond // a call of the trunk
)

// While strangers from 200 addresses send 2,000 INVITEs a second, the calls of a
// trunk get through, in time, and what the flood took is given back.
func TestTrunkCallsThroughAFlood(t *testing.T) {
	ep, to := yardSwitch(t)
	before := heap()
	ctx, stop := context.WithTimeout(context.Background(), floodTime)
	defer stop()
	var wg sync.WaitGroup
	var sent atomic.Int64
	wg.Go(func() { flood(ctx, t, to, &sent) })

	c, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var took []time.Duration
	calls := 0
	for tick := time.NewTicker(callEvery); ctx.Err() == nil; <-tick.C {
		calls++
		if d, ok := tried(c, calls); ok {
			took = append(took, d)
		}
	}
	wg.Wait()
	slices.Sort(took)
	if len(took)*100 < calls*99 || took[len(took)*99/100] > 250*time.Millisecond {
		t.Errorf("%d of %d calls got through, p99 %v", len(took), calls, took[len(took)*99/100])
	}
	if n := sent.Load(); n < floodRate*int64(floodTime/time.Second)/2 {
		t.Errorf("the flood was only %d INVITEs", n)
	}
	if s := ep.Stats(); s.Guard.Banned != 0 || s.Panics != 0 || s.Legs > calls {
		t.Errorf("%+v", s)
	}
	if after := heap(); after > before+before/10+4<<20 {
		t.Errorf("%d kB in use before, %d kB after", before>>10, after>>10)
	}
}

func yardSwitch(t *testing.T) (*sip.Endpoint, netip.AddrPort) {
	t.Helper()
	ep, err := sip.New(sip.Config{Listen: []string{"udp://127.0.0.1:0"}}, yard{}, busy{}, slog.New(slog.DiscardHandler))
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
	<-ep.Ready()
	return ep, ep.Addrs()[0].(*net.UDPAddr).AddrPort()
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

func invite(from string, n int) []byte {
	return fmt.Appendf(nil, "INVITE sip:+14155552671@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;rport;branch=z9hG4bK%s-%d\r\nMax-Forwards: 70\r\n"+
		"From: <sip:x@%s>;tag=%d\r\nTo: <sip:+14155552671@127.0.0.1>\r\nCall-ID: %s-%d\r\nCSeq: 1 INVITE\r\nContact: <sip:x@%s>\r\nContent-Length: 0\r\n\r\n",
		from, from, n, from, n, from, n, from)
}

// flood sends from many addresses until ctx ends.
func flood(ctx context.Context, t *testing.T, to netip.AddrPort, sent *atomic.Int64) {
	var from []*net.UDPConn
	for i := range 200 {
		c, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 66, 0, byte(i+1))}, net.UDPAddrFromAddrPort(to))
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		from = append(from, c)
	}
	start := time.Now()
	for n := 0; ctx.Err() == nil; n++ {
		if early := time.Until(start.Add(time.Duration(n) * time.Second / floodRate)); early > time.Millisecond {
			pause := time.NewTimer(early)
			select {
			case <-pause.C:
			case <-ctx.Done():
			}
		}
		c := from[n%len(from)]
		if _, err := c.Write(invite(c.LocalAddr().(*net.UDPAddr).IP.String(), n)); err == nil {
			sent.Add(1)
		}
	}
}

// tried makes one call and tells how long it took to be decided. The INVITE is
// repeated as RFC 3261 §17.1.1 has it.
func tried(c *net.UDPConn, n int) (time.Duration, bool) {
	start, msg, buf := time.Now(), invite("127.0.0.1", n), make([]byte, 4096)
	decided := fmt.Sprintf("Call-ID: 127.0.0.1-%d\r\n", n)
	for range 3 {
		_, _ = c.Write(msg)
		_ = c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		for {
			size, err := c.Read(buf)
			if err != nil {
				break
			}
			if text := string(buf[:size]); len(text) > 12 && text[8:11] == "486" && strings.Contains(text, decided) {
				_, _ = c.Write(ackOf(n, text))
				return time.Since(start), true
			}
		}
	}
	return 0, false
}

// ackOf acknowledges the refusal of an INVITE.
func ackOf(n int, refusal string) []byte {
	_, to, _ := strings.Cut(refusal, "\r\nTo: ")
	to, _, _ = strings.Cut(to, "\r\n")
	ack := strings.Replace(string(invite("127.0.0.1", n)), "INVITE", "ACK", 2)
	return []byte(strings.Replace(ack, "To: <sip:+14155552671@127.0.0.1>", "To: "+to, 1))
}
