package jitter

import "time"

// spare is how much time packets had left when they came, over the last few
// seconds, in ticks of their clock. What the worst of them had is what the delay
// could be shorter by.
type spare struct {
	least int // of the window at hand
	n     int
	past  [3]int // of the windows before, the newest first
	known int    // how many of those there are

	stragglers int // in the window at hand
	reserve    int // more than hurry and leisure, to have the packet behind a lost one
	whole      int // windows since something was lost
}

// The worst packet should be there so long before the frame that needs it: when
// it comes later than hurry the sound is stretched, when it comes a frame sooner
// than leisure it is compressed.
const (
	hurry   = 4 * time.Millisecond
	leisure = 10 * time.Millisecond
)

func (s *spare) reset() { *s = spare{} }

func (s *spare) note(slack int) {
	if s.n == 0 || slack < s.least {
		s.least = slack
	}
	if s.n++; s.n < window {
		return
	}
	copy(s.past[1:], s.past[:])
	s.past[0] = s.least
	s.known = min(s.known+1, len(s.past))
	s.n, s.stragglers = 0, 0
	if s.whole++; s.whole > forgive {
		s.reserve = 0
	}
}

// forgive is after how many windows without loss, half a minute, the delay is as
// short again as if there had never been any.
const forgive = 15

// wantNext asks for so much more delay while packets are lost.
func (s *spare) wantNext(ticks int) { s.reserve, s.whole = ticks, 0 }

// late: a packet came after its time. The delay has become longer, and will not
// be shortened for some time.
func (s *spare) late() {
	s.known, s.n = 0, 0
}

// shift notes that the delay has become longer by so much.
func (s *spare) shift(by int) {
	s.least += by
	for i := range s.past {
		s.past[i] += by
	}
}

// tight is the spare time of the worst packet lately.
func (s *spare) tight() (slack int, ok bool) { return s.least, s.n > 0 }

// calm is the spare time of the worst packet for long enough to trust in it.
func (s *spare) calm() (slack int, ok bool) {
	if s.known < 2 {
		return 0, false
	}
	slack = s.past[0]
	for _, p := range s.past[1:s.known] {
		slack = min(slack, p)
	}
	if s.n > 0 {
		slack = min(slack, s.least)
	}
	return slack, true
}
