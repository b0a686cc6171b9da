package recorder

import "time"

const (
	// window is how many ticks are held open: for their second direction, and for
	// sound that was held back on its way.
	window = 16
	// mostHeld is how long ago sound may have been said that still finds its place.
	mostHeld = (window - 3) * tickTime
	// maxFrame is the largest frame a tap gives: 20 ms at 16 kHz.
	maxFrame = 320
)

// moment is one tick of the time line with what was heard in it.
type moment struct {
	in, out         []int16 // nil: silence
	inRate, outRate int
	paused          bool
}

// timeline puts what both directions have said where it belongs and fills gaps
// with silence, so that both are always equally long and never drift. A tick is
// given out when both have gone past it.
type timeline struct {
	emit    func(moment)
	slots   [window]slot
	in, out track
	next    uint64 // the oldest tick not emitted
	last    uint64 // the newest tick seen
	started bool
	paused  bool // state at the last emitted tick: holds over gaps
	late    uint64
}

// slot is a tick that is not emitted yet.
type slot struct {
	seen, paused bool
	in, out      cell
}

// cell is what one direction says in a tick; rate 0: nothing.
type cell struct {
	rate int
	pcm  [maxFrame]int16
}

func (c *cell) sound() []int16 {
	if c.rate == 0 {
		return nil
	}
	return c.pcm[:c.rate/50]
}

func (l *timeline) add(rec record) {
	if !l.started {
		l.started, l.next, l.last = true, rec.tick, rec.tick
	}
	if rec.tick < l.next {
		l.late++
		return
	}
	l.last = max(l.last, rec.tick)
	for rec.tick-l.next >= window {
		if !l.step() {
			return
		}
	}
	s := &l.slots[rec.tick%window]
	s.seen = true
	s.paused = s.paused || rec.paused
	if rec.out {
		l.out.add(rec, l.put)
	} else {
		l.in.add(rec, l.put)
	}
	for l.next < min(l.in.past, l.out.past) {
		if !l.step() {
			return
		}
	}
}

// put lays samples down from a place on; what lies in ticks that are over, or not
// open yet, is left out.
func (l *timeline) put(out bool, at int64, pcm []int16, rate int) {
	frame := int64(rate / 50)
	for len(pcm) > 0 {
		tick, off := at/frame, at%frame
		n := min(int64(len(pcm)), frame-off)
		if at >= int64(l.next)*frame && tick < int64(l.next)+window {
			c := &l.slots[tick%window].in
			if out {
				c = &l.slots[tick%window].out
			}
			if c.rate == 0 {
				c.rate = rate
			}
			if c.rate == rate {
				copy(c.pcm[off:], pcm[:n])
			}
		}
		pcm, at = pcm[n:], at+n
	}
}

// finish emits everything up to the newest tick.
func (l *timeline) finish() {
	for l.started && l.next <= l.last && l.step() {
		continue
	}
}

// step emits the oldest tick. False when nobody wants more.
func (l *timeline) step() bool {
	if l.emit == nil {
		return false
	}
	s := &l.slots[l.next%window]
	if !s.seen {
		s.paused = l.paused
	}
	l.paused = s.paused
	m := moment{paused: s.paused}
	if !s.paused { // what was said before the end of a pause, and came after it, is no part of it
		m.in, m.inRate, m.out, m.outRate = s.in.sound(), s.in.rate, s.out.sound(), s.out.rate
	}
	l.emit(m)
	s.clear()
	l.next++
	return true
}

func (s *slot) clear() {
	s.seen, s.paused = false, false
	for _, c := range []*cell{&s.in, &s.out} {
		if c.rate != 0 {
			c.rate = 0
			clear(c.pcm[:])
		}
	}
}

// samples is how many of them last d.
func samples(d time.Duration, rate int) int64 { return int64(d) * int64(rate) / int64(time.Second) }
