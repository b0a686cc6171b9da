package webhook

import (
	"sync"
	"time"
)

// breakers remember, by address, which routing webhooks are better left alone.
type breakers struct {
	after int
	pause time.Duration

	mu    sync.Mutex
	state map[string]*breaker
}

// breaker is there only for addresses whose last answer was a failure.
type breaker struct {
	failures int
	until    time.Time // not asked before this
	probing  bool      // the pause is over, and one question is out to see
}

// maxBreakers bounds what is remembered: replies of webhooks can name any
// number of further ones.
const maxBreakers = 1024

// allow reports whether the webhook may be asked now. After the pause one
// question goes through; the others wait for how it ends.
func (b *breakers) allow(address string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.state[address]
	if s == nil || s.failures < b.after {
		return true
	}
	if now.Before(s.until) || s.probing {
		return false
	}
	s.probing = true
	return true
}

// result notes how a question ended, and reports whether it began a pause.
func (b *breakers) result(address string, now time.Time, good bool) (paused bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if good {
		delete(b.state, address)
		return false
	}
	s := b.state[address]
	if s == nil {
		b.makeRoom(now)
		s = new(breaker)
		b.state[address] = s
	}
	s.failures++
	s.probing = false
	if s.failures < b.after || now.Before(s.until) {
		return false
	}
	s.until = now.Add(b.pause)
	return true
}

// unasked notes that a question was called off.
func (b *breakers) unasked(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.state[address]; s != nil {
		s.probing = false
	}
}

func (b *breakers) makeRoom(now time.Time) {
	if b.state == nil {
		b.state = make(map[string]*breaker)
	}
	if len(b.state) < maxBreakers {
		return
	}
	for address, s := range b.state {
		if !now.Before(s.until) {
			delete(b.state, address)
		}
	}
	if len(b.state) >= maxBreakers {
		clear(b.state)
	}
}
