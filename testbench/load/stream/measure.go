package stream

import (
	"math"
	"time"
)

// Result is what a window of measuring has shown.
type Result struct {
	Length                 time.Duration
	Streams                int    // that were heard
	Sent, Received         uint64 // packets
	Expected               uint64 // that ought to have arrived
	Lost                   uint64
	Duplicates, Reordered  uint64
	Altered                uint64  // neither of the partner nor as they were sent
	Wrong, Looked          uint64  // frames that were not what was said; that were looked at
	LevelError             float64 // dB, of the stream that is furthest off
	Delay                  Times   // from our sending to our hearing
	Lateness               Times   // behind the earliest packet of the stream, of streams without stamps
	Unknown, Unsent, Drops uint64  // packets of no stream; not taken by the system; lost at our own sockets
	Stalls                 int     // moments at which we ourselves were late
	Behind                 time.Duration
}

// Begin opens the window that is measured.
func (e *Engine) Begin() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.began, e.measuring, e.open = time.Now(), true, true
	e.counts = engineCounts{drops: e.drops()}
	e.delay, e.lateness = Histogram{}, Histogram{}
	e.each(func(s *Stream) {
		s.sent, s.from, s.upTo = 0, s.number, s.number+numberMask/2
		s.heard.window = counts{}
		s.heard.timeline.open()
	})
}

// End closes it. What is still on its way counts until Result.
func (e *Engine) End() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.length, e.open = time.Since(e.began), false
	e.each(func(s *Stream) { s.upTo = s.number })
}

// Result sums the window up.
func (e *Engine) Result() Result {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.measuring = false
	r := Result{
		Length: e.length, Delay: e.delay.Times(), Lateness: e.lateness.Times(),
		Unknown: e.counts.unknown, Unsent: e.counts.unsent, Drops: e.drops() - e.counts.drops,
		Stalls: e.counts.stalls, Behind: e.counts.behind,
	}
	now := time.Now().UnixNano()
	e.each(func(s *Stream) { s.addTo(&r, now) })
	return r
}

func (e *Engine) each(f func(*Stream)) {
	for _, slot := range e.slots {
		for _, s := range slot {
			if s.sending {
				f(s)
			}
		}
	}
}

// drops is how many packets our sockets had no room for, ever.
func (e *Engine) drops() (n uint64) {
	for _, s := range e.rtp {
		n += s.drops()
	}
	return n
}

func (s *Stream) addTo(r *Result, now int64) {
	h, w := &s.heard, &s.heard.window
	r.Sent += s.sent
	r.Received += w.received
	r.Duplicates += w.duplicates
	r.Reordered += w.reordered
	r.Altered += w.altered
	if h.packets > 0 {
		r.Streams++
	}
	expected := s.expected(r.Length, now)
	r.Expected += expected
	r.Lost += expected - min(expected, w.unique)
	r.Looked += w.clean + w.silent + w.unclean
	r.Wrong += s.wrong(r.Length)
	if w.clean > 0 {
		r.LevelError = max(r.LevelError, math.Abs(w.levels/float64(w.clean)-h.voice.Level))
	}
}

// stamps tells whether what is heard here has the stamps of the partner.
func (s *Stream) stamps() bool {
	p := s.heard.partner
	return p != nil && p.t != nil && p.t.stride > 0 && p.f.Codec == s.f.Codec
}

// expected is how many packets ought to have arrived: those that the partner sent,
// or those that the time stamps tell of and the clock after the last of them.
func (s *Stream) expected(length time.Duration, now int64) uint64 {
	h := &s.heard
	if s.stamps() {
		p := h.partner
		return uint64((p.upTo - p.from) & numberMask)
	}
	if h.packets == 0 {
		return uint64(length / s.f.Ptime)
	}
	n := h.timeline.expected(s.t.clock)
	if gone := time.Duration(now - h.last); gone > 10*s.f.Ptime {
		n += uint64(min(gone, length) / s.f.Ptime)
	}
	return n
}

// wrong is how many frames were not what they ought to have been. Pauses, and the
// frames into which a pause was cut anew at both its ends, are as they should be.
func (s *Stream) wrong(length time.Duration) uint64 {
	w := &s.heard.window
	switch p := s.heard.partner; {
	case p == nil:
		return w.unclean + w.silent
	case s.stamps() || p.t == nil:
		return w.unclean
	default:
		cycles := uint64(length/cycle) + 2
		odd := w.unclean + w.silent
		return odd - min(odd, cycles*uint64(p.t.silent+2))
	}
}
