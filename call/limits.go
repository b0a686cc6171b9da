package call

import (
	"maps"
	"math"
	"sync"
	"time"

	"b2bua/flows"
)

// trunkLimits holds the calls out by each trunk to its max_calls and max_cps.
// Every call of the switch shares it: unlike what is inside a call, it is
// locked. The zero value is ready.
type trunkLimits struct {
	mu   sync.Mutex
	used map[string]*trunkUse // by trunk id
}

// trunkUse is how much of a trunk is taken. Calls are counted without a limit,
// too, so that a limit given later knows of those going on.
type trunkUse struct {
	calls  int
	cps    float64 // as it was with the last call
	tokens float64 // the bucket: a call takes one
	filled time.Time
	rests  time.Time // until then it wants no calls
}

// take asks for a place on the trunk for one more call. Without one ok is
// false, and nothing is taken. release gives the place back; further calls of
// it do nothing. The rate is measured by now's monotonic clock.
func (l *trunkLimits) take(t *flows.Trunk, now time.Time) (release func(), ok bool) {
	if t.Outbound == nil {
		return func() {}, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	use := l.use(t.ID, t.Outbound.MaxCPS, now)
	if most := t.Outbound.MaxCalls; most > 0 && use.calls >= most {
		return nil, false
	}
	if use.cps > 0 {
		if use.tokens < 1-rounding {
			return nil, false
		}
		use.tokens--
	}
	use.calls++
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		use.calls--
	}), true
}

// rounding is how much of a token sums of small fractions may lack.
const rounding = 1e-9

// use finds the trunk's state, its bucket filled up to now. When a trunk is new,
// those that would start afresh anyway are forgotten.
func (l *trunkLimits) use(id string, cps float64, now time.Time) *trunkUse {
	use := l.used[id]
	if use == nil {
		maps.DeleteFunc(l.used, func(_ string, u *trunkUse) bool {
			u.fill(now)
			return u.calls == 0 && u.tokens >= u.burst() && !now.Before(u.rests)
		})
		if l.used == nil {
			l.used = make(map[string]*trunkUse)
		}
		use = &trunkUse{cps: cps, filled: now}
		use.tokens = use.burst()
		l.used[id] = use
		return use
	}
	use.fill(now)
	if cps != use.cps {
		if use.cps == 0 {
			use.tokens = math.Inf(1) // there was no limit: the bucket is full
		}
		use.cps = cps
		use.tokens = min(use.tokens, use.burst())
	}
	return use
}

// longestRest is the longest that a trunk is believed to want to be left alone.
const longestRest = time.Hour

// rest leaves a trunk alone that has asked for it by Retry-After (RFC 3261 section
// 21.5.4), as long as there is another.
func (l *trunkLimits) rest(t *flows.Trunk, d time.Duration, now time.Time) {
	if d <= 0 || t.Outbound == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	use := l.use(t.ID, t.Outbound.MaxCPS, now)
	use.rests = now.Add(min(d, longestRest))
}

// resting reports whether a trunk wants to be left alone.
func (l *trunkLimits) resting(id string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	use := l.used[id]
	return use != nil && now.Before(use.rests)
}

// burst is what the bucket holds: one second's calls, at least one.
func (u *trunkUse) burst() float64 { return max(1, math.Ceil(u.cps)) }

// fill adds what has come in since the bucket was last filled. Calls tell their
// times in any order; an earlier one adds nothing.
func (u *trunkUse) fill(now time.Time) {
	if since := now.Sub(u.filled); since > 0 {
		u.tokens = min(u.burst(), u.tokens+since.Seconds()*u.cps)
		u.filled = now
	}
}
