package sip_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"b2bua/sip"
)

// counted is a Directory that counts how often it is asked.
type counted struct {
	book
	asked atomic.Int64
}

func (c *counted) Device(user string) (sip.Device, bool) {
	c.asked.Add(1)
	return c.book.Device(user)
}

func (c *counted) TrunkByUsername(user string) (sip.Trunk, string, bool) {
	c.asked.Add(1)
	return c.book.TrunkByUsername(user)
}

// desk is a socket on which one request at a time is asked and answered.
type desk struct {
	in     chan letter
	out    chan string
	closed chan struct{}
	once   sync.Once
}

type letter struct {
	text string
	from netip.AddrPort
}

func (d *desk) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case l := <-d.in:
		return copy(b, l.text), net.UDPAddrFromAddrPort(l.from), nil
	case <-d.closed:
		return 0, nil, net.ErrClosed
	}
}

func (d *desk) WriteTo(b []byte, _ net.Addr) (int, error) {
	d.out <- string(b)
	return len(b), nil
}

func (d *desk) Close() error                     { d.once.Do(func() { close(d.closed) }); return nil }
func (d *desk) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(switchAt) }
func (d *desk) SetDeadline(time.Time) error      { return nil }
func (d *desk) SetReadDeadline(time.Time) error  { return nil }
func (d *desk) SetWriteDeadline(time.Time) error { return nil }

func (d *desk) ask(l letter) string {
	d.in <- l
	return <-d.out
}

// seated runs a switch behind a desk.
func seated(t *testing.T, who sip.Directory) *desk {
	t.Helper()
	d := &desk{in: make(chan letter), out: make(chan string, 10), closed: make(chan struct{})}
	ep, err := sip.New(sip.Config{
		ListenPacket: func(string, string) (net.PacketConn, error) { return d, nil },
		Resolve:      func(context.Context, string) ([]netip.Addr, error) { return nil, os.ErrNotExist },
	}, who, decline{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- ep.Run(ctx) }()
	<-ep.Ready()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return d
}

// A wrong password costs the same work whether or not there is such a user: the
// same places are looked at, and as much is hashed, which its allocations show.
func TestAttack25TheSameWorkForAll(t *testing.T) {
	const rounds = 60
	work := func(method, user string) (allocations, looks float64) {
		who := &counted{}
		d := seated(t, who)
		var guesses []letter
		for i := range rounds + 1 { // AllocsPerRun warms up by one
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i), 1}), 5060) // nobody is banned or throttled on the way
			ask := func(n int, extra ...string) letter {
				text := strings.ReplaceAll(request(method, fmt.Sprintf("UDP h;branch=z9hG4bKw%d-%d;rport", i, n), fmt.Sprintf("w%d", i), n, "<sip:"+user+"@10.0.0.1>", "", extra...), "+15559999", user)
				return letter{strings.Replace(text, "sip:+15551000@127.0.0.1", "sip:10.0.0.1", 1), from}
			}
			challenge := parse(d.ask(ask(1)))
			if !strings.HasPrefix(challenge.start, "SIP/2.0 401") {
				t.Fatalf("%s: %s", method, challenge.start)
			}
			guesses = append(guesses, ask(2, proved(t, challenge, method, "sip:10.0.0.1", user, "guess", 1)))
		}
		before, n := who.asked.Load(), 0
		allocations = testing.AllocsPerRun(rounds, func() {
			if got := d.ask(guesses[n]); !strings.HasPrefix(got, "SIP/2.0 401") {
				t.Errorf("%s: %.40s", method, got)
			}
			n++
		})
		return allocations, float64(who.asked.Load()-before) / float64(n)
	}
	for _, method := range []string{"REGISTER", "INVITE"} {
		known, looks := work(method, "alice")
		unknown, looksToo := work(method, "mallo")
		t.Logf("%s: %v and %v allocations, %v and %v looks", method, known, unknown, looks, looksToo)
		if looks != looksToo || looks == 0 {
			t.Errorf("%s: %v looks for a user, %v for none", method, looks, looksToo)
		}
		if math.Abs(known-unknown) > 3 { // one hash alone takes more
			t.Errorf("%s: %v allocations for a user, %v for none", method, known, unknown)
		}
	}
}
