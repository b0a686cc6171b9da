package media

import (
	"slices"
	"time"
)

// Direction tells the two sides of a leg apart.
type Direction uint8

// The directions of a TapFrame.
const (
	In  Direction = iota // heard from the far end
	Out                  // sent to the far end
)

func (d Direction) String() string {
	if d == Out {
		return "out"
	}
	return "in"
}

// TapFrame is 20 ms of one direction of a leg.
type TapFrame struct {
	Dir Direction
	// Tick counts 20 ms frames since the session was opened. Both directions
	// share it: one In and one Out frame per tick, gaps filled. It jumps only
	// when the machine stalled for longer than could be made up for.
	Tick uint64
	// Clock is the tick of all sessions: whoever goes from one to another counts by
	// it.
	Clock uint64
	// Rate is the sample rate of PCM.
	Rate int
	// Held is how long ago this sound would have been here had nothing held it
	// back: on the time line of what was said it belongs so much before its tick.
	Held time.Duration
	// FromPeer: this Out frame is the bridge peer's voice, not a prompt.
	FromPeer bool
	// PCM is valid during the call only.
	PCM []int16
}

// Tap listens in on a leg. Frame runs on the clock: it must not block, and must
// not call back into a Session.
type Tap interface {
	Frame(f TapFrame)
}

// AddTap lets t listen in, from the next tick on. What the bridge peer is sent stays
// as it is.
func (s *Session) AddTap(t Tap) {
	s.clocked(func() {
		if !s.leg.gone && !slices.Contains(s.leg.taps, t) {
			s.leg.taps = append(s.leg.taps, t)
		}
	})
}

// RemoveTap ends what AddTap began; t gets no frame after it returned.
func (s *Session) RemoveTap(t Tap) {
	s.clocked(func() {
		s.leg.taps = slices.DeleteFunc(s.leg.taps, func(have Tap) bool { return have == t })
	})
}
