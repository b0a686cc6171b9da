package guard_test

import (
	"net/netip"
	"testing"
	"time"

	"b2bua/sip/guard"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time          { return c.t }
func (c *clock) advance(d time.Duration) { c.t = c.t.Add(d) }

func fixture(cfg guard.Config) (*guard.Guard, *clock) {
	c := &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	cfg.Now = c.now
	return guard.New(cfg), c
}

func host(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

func TestStrikesBan(t *testing.T) {
	g, c := fixture(guard.Config{Strikes: 3, Window: time.Minute, Ban: 10 * time.Minute})
	a := host(1)
	for range 2 {
		if g.Strike(a) || g.Blocked(a) {
			t.Fatal("banned too early")
		}
	}
	if !g.Strike(a) || !g.Blocked(a) || g.Allow(a, 100) {
		t.Error("not banned at the third strike")
	}
	if g.Blocked(host(2)) {
		t.Error("somebody else is banned")
	}
	c.advance(10*time.Minute - 1)
	if !g.Blocked(a) {
		t.Error("free too early")
	}
	c.advance(1)
	if g.Blocked(a) {
		t.Error("still banned")
	}
	for range 3 {
		g.Strike(a)
	}
	c.advance(19 * time.Minute)
	if !g.Blocked(a) {
		t.Error("the second ban is not longer")
	}
	g.Forgive(a)
	if g.Blocked(a) || !g.Allow(a, 100) {
		t.Error("not forgiven")
	}
}

func TestOldStrikesAreForgotten(t *testing.T) {
	g, c := fixture(guard.Config{Strikes: 2, Window: time.Minute})
	g.Strike(host(1))
	c.advance(time.Minute + 1)
	if g.Strike(host(1)) {
		t.Error("a strike outlived its window")
	}
	g.Forgive(host(1))
	if g.Strike(host(1)) {
		t.Error("a strike outlived forgiveness")
	}
}

func TestRate(t *testing.T) {
	g, c := fixture(guard.Config{Rate: 10, Burst: 20})
	allowed := func() (n int) {
		for range 100 {
			if g.Allow(host(1), 100) {
				n++
			}
		}
		return n
	}
	if n := allowed(); n != 20 {
		t.Errorf("burst of %d", n)
	}
	c.advance(time.Second)
	if n := allowed(); n != 10 {
		t.Errorf("%d in a second", n)
	}
	if !g.Allow(host(2), 100) {
		t.Error("somebody else is limited")
	}
	if s := g.Stats(); s.Limited != 170 || s.Sources != 2 {
		t.Errorf("%+v", s)
	}
}

func TestTrustedIsNeverBanned(t *testing.T) {
	g, _ := fixture(guard.Config{Strikes: 1, Burst: 1, Trusted: func(a netip.Addr) bool { return a == host(1) }})
	if g.Strike(host(1)) || g.Blocked(host(1)) || !g.Allow(host(1), 100) || !g.Allow(host(1), 100) {
		t.Error("limited")
	}
	if g.Stats().Sources != 0 {
		t.Error("remembered")
	}
}

func TestIPv6IsOneSourceANet(t *testing.T) {
	g, _ := fixture(guard.Config{Strikes: 1})
	g.Strike(netip.MustParseAddr("2001:db8::1"))
	for addr, want := range map[string]bool{
		"2001:db8::ffff:2": true, "2001:db8:0:1::1": false, "10.0.0.1": false, "::ffff:10.0.0.1": false,
	} {
		if g.Blocked(netip.MustParseAddr(addr)) != want {
			t.Errorf("%s blocked: %v", addr, !want)
		}
	}
	g.Strike(netip.MustParseAddr("::ffff:10.0.0.1"))
	if !g.Blocked(netip.MustParseAddr("10.0.0.1")) || g.Blocked(netip.MustParseAddr("10.0.0.2")) {
		t.Error("a mapped address is another one than its IPv4 address")
	}
}

// A flood of forged sources must not cost memory, nor free who is banned.
func TestFloodOfSourcesIsBounded(t *testing.T) {
	g, _ := fixture(guard.Config{Strikes: 1, Sources: 100, Bans: 10})
	g.Strike(host(0))
	for i := 1; i <= 1000; i++ {
		g.Allow(host(i), 100)
	}
	s := g.Stats()
	if s.Sources != 100 || s.Forgotten != 901 {
		t.Errorf("%+v", s)
	}
	if !g.Blocked(host(0)) {
		t.Error("the flood freed a banned source")
	}
	for i := range 50 {
		g.Strike(host(i))
	}
	if s := g.Stats(); s.Banned != 10 {
		t.Errorf("%+v", s)
	}
}

func TestKnownSourceCostsNoAllocation(t *testing.T) {
	g, _ := fixture(guard.Config{Sources: 10})
	for i := range 20 {
		g.Allow(host(i), 100)
	}
	i := 0
	if n := testing.AllocsPerRun(1000, func() { g.Allow(host(i%50), 100); i++ }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A source that has proved nothing is answered a few times a window, and is not
// kept silent by what is sent in its name meanwhile.
func TestAnswersAreFew(t *testing.T) {
	trusted := host(9)
	g, c := fixture(guard.Config{Answers: 3, Window: time.Minute, Trusted: func(a netip.Addr) bool { return a == trusted }})
	count := func(a netip.Addr) (n int) {
		for range 10 {
			if g.Answer(a) {
				n++
			}
		}
		return n
	}
	if n := count(host(1)); n != 3 {
		t.Errorf("answered %d times", n)
	}
	if g.Blocked(host(1)) || !g.Allow(host(1), 100) {
		t.Error("banned for asking")
	}
	c.advance(59 * time.Second)
	if n := count(host(1)); n != 0 {
		t.Errorf("answered %d times within the window", n)
	}
	c.advance(2 * time.Second)
	if n := count(host(1)); n != 3 {
		t.Errorf("answered %d times in the next window", n)
	}
	g.Forgive(host(1))
	if n := count(host(1)); n != 3 {
		t.Errorf("answered %d times once it had proved itself", n)
	}
	if n := count(trusted); n != 10 {
		t.Errorf("a trunk is answered %d times", n)
	}
}
