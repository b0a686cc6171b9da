package sip

import (
	"sync"
	"time"
)

const (
	shedRetry  = "5"                    // seconds, told to who is turned away
	reserve    = 10                     // one in so many places is kept for trunks
	lateDevice = 500 * time.Millisecond // INVITEs that wait so long for a processor: no more calls of devices
	lateTrunk  = 2 * time.Second        // nor of trunks
	lateFor    = time.Second            // then it is tried again
)

// shedder turns new calls away while there is more to do than can be done, so
// that those that go on, and those let in, are served in time (RFC 3261
// §21.5.4). What it turns away costs one answer and leaves nothing behind.
// Strangers are dropped first, then devices, trunks last.
type shedder struct {
	most int     // calls not answered yet, at once
	cps  float64 // new calls a second; 0 is no limit

	mu       sync.Mutex
	pending  int
	tokens   float64
	refilled time.Time
	waited   time.Duration // the longest that an INVITE waited lately
	measured time.Time
	shed     uint64
}

func newShedder(most int, cps float64) *shedder {
	return &shedder{most: most, cps: cps, tokens: max(cps, 1)}
}

// begin lets a call in, or not. done must be told of one that was let in.
func (s *shedder) begin(trunk bool, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.crowded(trunk, now) {
		s.shed++
		return false
	}
	s.pending++
	s.tokens--
	return true
}

// busy tells that there is no time for strangers.
func (s *shedder) busy(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.crowded(false, now)
}

// crowded is whether a call has no place; mu is held.
func (s *shedder) crowded(trunk bool, now time.Time) bool {
	most, tokens, late := s.most, 1.0, lateTrunk
	if !trunk {
		most, tokens, late = most-most/reserve, 1+s.cps/reserve, lateDevice
	}
	if s.cps > 0 {
		if !s.refilled.IsZero() {
			s.tokens = min(s.tokens+s.cps*now.Sub(s.refilled).Seconds(), max(s.cps, 1))
		}
		s.refilled = now
		if s.tokens < min(tokens, max(s.cps, 1)) {
			return true
		}
	}
	return s.pending >= most || s.waited >= late && now.Sub(s.measured) < lateFor
}

// late tells how long an INVITE waited for a goroutine to run: this is what
// grows first when the processors have too much to do.
func (s *shedder) late(d time.Duration, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d >= s.waited || now.Sub(s.measured) >= lateFor {
		s.waited, s.measured = d, now
	}
}

// done tells that a call has its final answer.
func (s *shedder) done() {
	s.mu.Lock()
	s.pending--
	s.mu.Unlock()
}

func (s *shedder) counts() (pending int, shed uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending, s.shed
}
