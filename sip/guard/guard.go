package guard

import (
	"cmp"
	"net/netip"
	"sync"
	"time"
)

// Config says what a source may do. The zero value means the defaults.
type Config struct {
	Strikes int           // this many within Window ban a source; 5
	Window  time.Duration // 1 min
	Ban     time.Duration // 10 min; doubles each time, up to MaxBan
	MaxBan  time.Duration // 24 h
	Rate    float64       // messages per second a stranger may send; 50
	Burst   int           // messages at once; 200
	Answers int           // requests without credentials answered within Window; 5
	Sources int           // how many sources are remembered; 32,768
	Bans    int           // how many bans are remembered; 32,768
	Guesses float64       // wrong passwords per second for one user from one source; 5

	// Trusted sources are never banned nor limited: trunks by address. Nil means
	// nobody is. It is called for every message, from any goroutine.
	Trusted func(netip.Addr) bool
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	c.Strikes = cmp.Or(c.Strikes, 5)
	c.Window = cmp.Or(c.Window, time.Minute)
	c.Ban = cmp.Or(c.Ban, 10*time.Minute)
	c.MaxBan = max(cmp.Or(c.MaxBan, 24*time.Hour), c.Ban)
	c.Rate = cmp.Or(c.Rate, 50)
	c.Burst = cmp.Or(c.Burst, 200)
	c.Answers = cmp.Or(c.Answers, 5)
	c.Sources = cmp.Or(c.Sources, 1<<15)
	c.Bans = cmp.Or(c.Bans, 1<<15)
	c.Guesses = cmp.Or(c.Guesses, 5)
	if c.Trusted == nil {
		c.Trusted = func(netip.Addr) bool { return false }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Stats count what happened since New.
type Stats struct {
	Sources, Banned    int    // remembered now
	Strikes, Bans      uint64 // given
	Limited, Forgotten uint64 // messages over the rate; sources evicted
	Unanswered         uint64 // requests of sources that had their answers, or would get more than they paid for
	Throttled          uint64 // passwords that were not looked at: too many wrong ones before
}

// Guard keeps count of sources. An IPv6 source is its /64: a host has all of it.
// The methods may be called from any goroutine.
type Guard struct {
	cfg Config

	mu      sync.Mutex
	sources *table[source]
	bans    *table[ban]
	guesses *table[bucket]
	stats   Stats
}

type source struct {
	tokens   float64
	refilled time.Time
	strikes  int
	since    time.Time // of the first strike in the window
	answers  int
	asked    time.Time // of the first answer in the window
	credit   int       // octets that may be sent to it
}

type ban struct {
	until time.Time
	last  time.Duration
}

// New makes a guard that knows no one.
func New(cfg Config) *Guard {
	cfg = cfg.withDefaults()
	return &Guard{cfg: cfg, sources: newTable[source](cfg.Sources), bans: newTable[ban](cfg.Bans), guesses: newTable[bucket](cfg.Sources)}
}

// Strike counts a failed attempt (a wrong password) against a source and reports
// whether it is banned now. It is for sources that are certain to be where they
// say: they have shown something that was sent there, or hold a connection.
// Otherwise anybody could have anybody banned.
func (g *Guard) Strike(addr netip.Addr) bool {
	if g.cfg.Trusted(addr) {
		return false
	}
	k, now := keyOf(addr), g.cfg.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stats.Strikes++
	s := g.source(k, now)
	if now.Sub(s.since) > g.cfg.Window {
		s.strikes, s.since = 0, now
	}
	s.strikes++
	if s.strikes < g.cfg.Strikes {
		return g.banned(k, now)
	}
	s.strikes = 0
	g.stats.Bans++
	b, known := g.bans.get(k)
	if !known {
		b, _ = g.bans.add(k)
	}
	b.last = min(max(2*b.last, g.cfg.Ban), g.cfg.MaxBan)
	b.until = now.Add(b.last)
	return true
}

// Answer reports whether a source that has proved nothing may be answered once
// more. The address may be forged, so nobody is banned for asking: after a few
// answers there is silence until the window is over, whatever is sent meanwhile.
func (g *Guard) Answer(addr netip.Addr) bool {
	if g.cfg.Trusted(addr) {
		return true
	}
	k, now := keyOf(addr), g.cfg.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.source(k, now)
	if now.Sub(s.asked) > g.cfg.Window {
		s.answers, s.asked = 0, now
	}
	if s.answers >= g.cfg.Answers {
		g.stats.Unanswered++
		return false
	}
	s.answers++
	return true
}

// Blocked reports whether a source is banned at the moment.
func (g *Guard) Blocked(addr netip.Addr) bool {
	k, now := keyOf(addr), g.cfg.Now()
	g.mu.Lock()
	blocked := g.banned(k, now)
	g.mu.Unlock()
	return blocked && !g.cfg.Trusted(addr)
}

// Allow takes one message from the source's rate and reports whether it may
// pass. It is false for banned sources too. octets is its length: what a source
// says is what it may be answered with, see Spend.
func (g *Guard) Allow(addr netip.Addr, octets int) bool {
	if g.cfg.Trusted(addr) {
		return true
	}
	k, now := keyOf(addr), g.cfg.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.banned(k, now) {
		return false
	}
	s := g.source(k, now)
	s.credit = min(s.credit+amplification*octets, maxCredit)
	s.tokens = min(s.tokens+g.cfg.Rate*now.Sub(s.refilled).Seconds(), float64(g.cfg.Burst))
	s.refilled = now
	if s.tokens < 1 {
		g.stats.Limited++
		return false
	}
	s.tokens--
	return true
}

const (
	amplification = 3
	maxCredit     = 1 << 20
)

// Spend reports whether a source that has proved nothing may be sent so many
// octets. The address may be forged, and who owns it is not to get more than
// three times what the forger sends: else we were a weapon.
func (g *Guard) Spend(addr netip.Addr, octets int) bool {
	if g.cfg.Trusted(addr) {
		return true
	}
	k, now := keyOf(addr), g.cfg.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.source(k, now)
	if s.credit < octets {
		g.stats.Unanswered++
		return false
	}
	s.credit -= octets
	return true
}

// Forgive clears strikes, answers and ban: the source proved itself (a registration with
// the right password) or an administrator says so.
func (g *Guard) Forgive(addr netip.Addr) {
	k := keyOf(addr)
	g.mu.Lock()
	defer g.mu.Unlock()
	if s, ok := g.sources.get(k); ok {
		s.strikes, s.answers = 0, 0
	}
	g.bans.remove(k)
}

// Stats counts what happened since New.
func (g *Guard) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.Sources, s.Banned = g.sources.len(), 0
	now := g.cfg.Now()
	for _, b := range g.bans.slots {
		if b.value.until.After(now) {
			s.Banned++
		}
	}
	return s
}

// source finds or begins the account of a source; mu is held.
func (g *Guard) source(k key, now time.Time) *source {
	s, known := g.sources.get(k)
	if !known {
		var evicted bool
		s, evicted = g.sources.add(k)
		if evicted {
			g.stats.Forgotten++
		}
		s.tokens, s.refilled = float64(g.cfg.Burst), now
	}
	return s
}

// banned keeps an expired ban for a while, so that the next one is longer; mu is
// held.
func (g *Guard) banned(k key, now time.Time) bool {
	b, ok := g.bans.peek(k)
	return ok && b.until.After(now)
}
