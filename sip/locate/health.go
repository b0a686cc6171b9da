package locate

import (
	"net/netip"
	"sync"
	"time"
)

const (
	avoidFor  = 30 * time.Second
	maxAvoid  = 10 * time.Minute // whatever a Retry-After says
	maxPlaces = 1024
)

type place struct {
	transport string
	addr      netip.AddrPort
}

// health remembers which targets failed lately.
type health struct {
	now   func() time.Time
	mu    sync.Mutex
	until map[place]time.Time
}

// Avoid puts a target that timed out, refused the connection or answered 503
// behind the others: for as long as it asked itself (Retry-After), else, when d is
// 0, for 30 s.
func (r *Resolver) Avoid(t Target, d time.Duration) {
	if d <= 0 {
		d = avoidFor
	}
	r.health.avoid(place{t.Transport, t.Addr}, min(d, maxAvoid))
}

// Worked says that a target is alive.
func (r *Resolver) Worked(t Target) {
	h := &r.health
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.until, place{t.Transport, t.Addr})
}

// Failing reports whether a target is avoided now.
func (r *Resolver) Failing(t Target) bool {
	h := &r.health
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now().Before(h.until[place{t.Transport, t.Addr}])
}

func (h *health) avoid(p place, d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	if len(h.until) >= maxPlaces {
		oldest, found := p, false
		for q, t := range h.until {
			if !now.Before(t) {
				delete(h.until, q)
			} else if !found || t.Before(h.until[oldest]) {
				oldest, found = q, true
			}
		}
		if len(h.until) >= maxPlaces {
			delete(h.until, oldest)
		}
	}
	h.until[p] = now.Add(d)
}

// order puts those that failed last; none is left out, for they may be all there
// is.
func (h *health) order(targets []Target) []Target {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.until) == 0 {
		return targets
	}
	now := h.now()
	out := make([]Target, 0, len(targets))
	var last []Target
	for _, t := range targets {
		if now.Before(h.until[place{t.Transport, t.Addr}]) {
			last = append(last, t)
		} else {
			out = append(out, t)
		}
	}
	return append(out, last...)
}
