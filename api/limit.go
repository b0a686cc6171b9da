package api

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// RateLimit is how many requests a key may make: PerSecond on average, Burst
// at once. PerSecond 0 means no limit.
type RateLimit struct {
	PerSecond float64
	Burst     int
}

// limiter keeps a bucket of tokens for each client. A bucket that is full
// again says nothing and is forgotten, so the map stays as small as the number
// of clients that are busy.
type limiter struct {
	limit RateLimit
	mu    sync.Mutex
	of    map[string]*bucket
	swept time.Time
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimiter(l RateLimit) *limiter { return &limiter{limit: l, of: map[string]*bucket{}} }

// take spends a token of the client. left is what remains, wait how long until
// the next token.
func (l *limiter) take(client string, now time.Time) (ok bool, left int, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	b := l.of[client]
	if b == nil {
		b = &bucket{tokens: float64(l.limit.Burst), at: now}
		l.of[client] = b
	}
	b.fill(l.limit, now)
	if b.tokens < 1 {
		// Rounded up: what is missing may be less than a nanosecond of tokens.
		return false, 0, time.Duration(math.Ceil((1 - b.tokens) / l.limit.PerSecond * float64(time.Second)))
	}
	b.tokens--
	return true, int(b.tokens), 0
}

func (b *bucket) fill(l RateLimit, now time.Time) {
	if d := now.Sub(b.at).Seconds(); d > 0 {
		b.tokens = math.Min(float64(l.Burst), b.tokens+d*l.PerSecond)
		b.at = now
	}
}

func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Minute {
		return
	}
	l.swept = now
	for client, b := range l.of {
		if b.fill(l.limit, now); b.tokens >= float64(l.limit.Burst) {
			delete(l.of, client)
		}
	}
}

// allow spends one request of the client, tells how many are left, and answers
// 429 when there are none.
func (s *Server) allow(w http.ResponseWriter, r *http.Request, client string) bool {
	l := s.limiter
	if l.limit.PerSecond <= 0 {
		return true
	}
	ok, left, wait := l.take(client, s.now())
	h := w.Header()
	h.Set("RateLimit-Limit", strconv.Itoa(l.limit.Burst))
	h.Set("RateLimit-Remaining", strconv.Itoa(left))
	full := float64(l.limit.Burst-left) / l.limit.PerSecond
	h.Set("RateLimit-Reset", strconv.Itoa(int(math.Ceil(full))))
	if ok {
		return true
	}
	h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))))
	writeProblem(w, r, fail(http.StatusTooManyRequests, slugRateLimited, "Too many requests: wait as long as Retry-After says"))
	return false
}
