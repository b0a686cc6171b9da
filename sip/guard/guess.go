package guard

import (
	"crypto/sha256"
	"net/netip"
	"time"
)

// bucket is how many wrong passwords may still be tried.
type bucket struct {
	tokens   float64
	refilled time.Time
}

// Guess reports whether a password for a user, from a source, may be looked at:
// each costs one of a few a second, given back by Right. Nobody is exempt, for a
// phone may sit behind the address of a trunk. Elsewhere the user is not
// affected.
func (g *Guard) Guess(addr netip.Addr, user string) bool {
	now := g.cfg.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	k := guessOf(addr, user)
	b, known := g.guesses.get(k)
	if !known {
		b, _ = g.guesses.add(k)
		b.tokens, b.refilled = g.cfg.Guesses, now
	}
	b.tokens = min(b.tokens+g.cfg.Guesses*now.Sub(b.refilled).Seconds(), g.cfg.Guesses)
	b.refilled = now
	if b.tokens < 1 {
		g.stats.Throttled++
		return false
	}
	b.tokens--
	return true
}

// Right gives back what Guess took: it was no guess.
func (g *Guard) Right(addr netip.Addr, user string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b, ok := g.guesses.get(guessOf(addr, user)); ok {
		b.tokens++
	}
}

func guessOf(addr netip.Addr, user string) key {
	h := keyOf(addr)
	sum := sha256.Sum256(append(h[:], user...))
	return key(sum[:len(key{})])
}
