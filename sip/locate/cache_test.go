package locate_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/sip/locate"

	"github.com/miekg/dns"
)

var pbx = locate.Question{Host: "pbx.example", Port: 5060}

// check locates the host and compares where it is and how long that took.
func check(t *testing.T, r *locate.Resolver, q locate.Question, want string, atMost time.Duration) {
	t.Helper()
	start := time.Now()
	targets, err := r.Locate(t.Context(), q)
	got := where(targets, err)
	if err != nil && want == "" {
		got = ""
	}
	if took := time.Since(start); got != want || took > atMost {
		t.Errorf("got %q after %v, want %q within %v", got, took, want, atMost)
	}
}

func TestCacheByTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tc := range []struct {
			ttl          int
			fresh, again time.Duration
		}{{60, 59 * time.Second, 2 * time.Second}, {0, 4 * time.Second, 2 * time.Second}, {1 << 30, time.Hour - time.Second, 2 * time.Second}} {
			z := newZone(t, fmt.Sprintf("pbx.example. %d IN A 192.0.2.1", tc.ttl), fmt.Sprintf("pbx.example. %d IN AAAA 2001:db8::1", tc.ttl))
			r := resolver(t, z)
			const want = "udp 192.0.2.1:5060, udp [2001:db8::1]:5060"
			check(t, r, pbx, want, 0)
			if n := len(z.questions()); n != 2 {
				t.Errorf("TTL %d: %d questions", tc.ttl, n)
			}
			time.Sleep(tc.fresh)
			check(t, r, pbx, want, 0)
			if q := z.questions(); q != nil {
				t.Errorf("TTL %d: asked again: %q", tc.ttl, q)
			}
			time.Sleep(tc.again)
			z.set(t, "pbx.example. 60 IN A 192.0.2.2")
			check(t, r, pbx, "udp 192.0.2.2:5060", 0)
		}
	})
}

func TestNothingIsRememberedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(t)
		r := resolver(t, z)
		check(t, r, pbx, "", 0)
		z.set(t, "pbx.example. 60 IN A 192.0.2.1")
		z.questions()
		time.Sleep(59 * time.Second)
		check(t, r, pbx, "", 0)
		if q := z.questions(); q != nil {
			t.Errorf("asked again: %q", q)
		}
		time.Sleep(2 * time.Second)
		check(t, r, pbx, "udp 192.0.2.1:5060", 0)

		z.soa = 1 << 30 // bounded, whatever the zone says
		other := locate.Question{Host: "other.example", Port: 5060}
		check(t, r, other, "", 0)
		z.set(t, "other.example. 60 IN A 192.0.2.2")
		time.Sleep(5*time.Minute + time.Second)
		check(t, r, other, "udp 192.0.2.2:5060", 0)
	})
}

// A resolver that is down costs little time and no call, for an hour and more.
func TestLastGoodAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(t, "pbx.example. 60 IN A 192.0.2.1", "pbx.example. 60 IN AAAA 2001:db8::1")
		r := resolver(t, z)
		const want = "udp 192.0.2.1:5060, udp [2001:db8::1]:5060"
		check(t, r, pbx, want, 0)
		z.fail(dns.RcodeServerFailure)
		time.Sleep(30 * time.Minute)
		check(t, r, pbx, want, 0)
		z.fail(0)
		z.delay["pbx.example."] = time.Hour
		time.Sleep(30 * time.Minute)
		z.questions()
		check(t, r, pbx, want, 1500*time.Millisecond)
		n := len(z.questions())
		check(t, r, pbx, want, 0) // not asked again at once
		if n == 0 || len(z.questions()) != 0 {
			t.Error("a resolver that hangs is asked for every call")
		}
		time.Sleep(2 * time.Minute)
		check(t, r, pbx, "", 4*time.Second) // an hour after the TTL it is over
		delete(z.delay, "pbx.example.")
		time.Sleep(5 * time.Second)
		check(t, r, pbx, want, 0)
	})
}

func TestAskedOnceForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(t, "pbx.example. 60 IN A 192.0.2.1", "pbx.example. 60 IN AAAA 2001:db8::1")
		z.delay["pbx.example."] = 500 * time.Millisecond
		r := resolver(t, z)
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i%10 == 0 { // who gives up does not spoil it for the others
					time.AfterFunc(100*time.Millisecond, cancel)
				}
				if _, err := r.Locate(ctx, pbx); (err != nil) != (i%10 == 0) {
					t.Error(i, err)
				}
			})
		}
		all.Wait()
		if q := z.questions(); len(q) > 4 { // twice when the first to ask gave up
			t.Errorf("%d questions", len(q))
		}
	})
}

// Names whose servers hang cost nobody else a thing.
func TestSlowNamesDelayNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(t, "pbx.example. 60 IN A 192.0.2.1", "_sip._udp.c.example. 60 IN SRV 1 0 5070 hangs.example.",
			"_sip._udp.c.example. 60 IN SRV 2 0 5071 pbx.example.", "c.example. 60 IN A 192.0.2.3")
		z.delay["hangs.example."] = time.Hour
		r := resolver(t, z)
		var slow sync.WaitGroup
		for range 50 {
			slow.Go(func() { check(t, r, locate.Question{Host: "hangs.example"}, "", 4*time.Second) })
		}
		synctest.Wait()
		check(t, r, pbx, "udp 192.0.2.1:5060", 0)
		check(t, r, locate.Question{Host: "c.example"}, "udp 192.0.2.1:5071", 4*time.Second) // shares their question
		slow.Wait()
		check(t, r, locate.Question{Host: "hangs.example"}, "", 0) // known to hang
		time.Sleep(time.Minute)
		check(t, r, locate.Question{Host: "c.example"}, "udp 192.0.2.1:5071", 300*time.Millisecond)

		// A forwarder that swallows NAPTR and SRV questions.
		z.delay["quiet.example."] = 0
		z.set(t, "quiet.example. 60 IN A 192.0.2.4")
		z.delay["_sip._udp.quiet.example."], z.delay["_sip._tcp.quiet.example."], z.delay["_sips._tcp.quiet.example."] = time.Hour, time.Hour, time.Hour
		check(t, r, locate.Question{Host: "quiet.example"}, "udp 192.0.2.4:5060", 1500*time.Millisecond)
	})
}

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(t, "pbx.example. 3600 IN A 192.0.2.1")
		r := resolver(t, z)
		for i := range 5000 {
			check(t, r, locate.Question{Host: fmt.Sprintf("x%d.example", i), Port: 1}, "", 0)
			if i%100 == 0 {
				time.Sleep(time.Millisecond)
				check(t, r, pbx, "udp 192.0.2.1:5060", 0)
			}
		}
		if n := locate.Cached(r); n > 4096 {
			t.Errorf("%d names kept", n)
		}
		asked := 0
		for _, q := range z.questions() {
			if q == "A pbx.example." {
				asked++
			}
		}
		if asked > 2 {
			t.Errorf("a name in use was forgotten %d times", asked-1)
		}
	})
}

// Several servers: the one that is silent is asked last from then on.
func TestServersInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(t, "pbx.example. 60 IN A 192.0.2.1", "pbx.example. 60 IN AAAA 2001:db8::1")
		var mu sync.Mutex
		var asked []string
		r := resolver(t, z, func(c *locate.Config) {
			c.Servers = []string{"192.0.2.53:53", "192.0.2.54:53", "192.0.2.55:53"}
			c.Exchange = func(ctx context.Context, q *dns.Msg, server, network string) (*dns.Msg, error) {
				mu.Lock()
				asked = append(asked, server)
				mu.Unlock()
				switch server {
				case "192.0.2.53:53":
					<-ctx.Done()
					return nil, ctx.Err()
				case "192.0.2.54:53":
					return new(dns.Msg).SetRcode(q, dns.RcodeRefused), nil
				}
				return z.exchange(ctx, q, server, network)
			}
		})
		check(t, r, pbx, "udp 192.0.2.1:5060, udp [2001:db8::1]:5060", time.Second)
		asked = nil
		time.Sleep(2 * time.Minute)
		check(t, r, pbx, "udp 192.0.2.1:5060, udp [2001:db8::1]:5060", 0)
		if slices.Contains(asked, "192.0.2.53:53") {
			t.Errorf("asked %q", asked)
		}
	})
}

// A failure is not asked for again at once, and not for long remembered.
func TestFailureIsRememberedShortly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		r, err := locate.New(locate.Config{Hosts: func(context.Context, string) ([]netip.Addr, error) {
			if first {
				first = false
				return nil, errors.New("down")
			}
			return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		check(t, r, pbx, "", 0)
		check(t, r, pbx, "", 0) // remembered
		time.Sleep(5 * time.Second)
		check(t, r, pbx, "udp 192.0.2.1:5060", 0)
	})
}
