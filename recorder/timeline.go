package recorder

// window is how many ticks are held open for their second direction. Both
// directions of a tick come from one pass of the clock, so it is generous.
const window = 4

// maxFrame is the largest frame a tap gives: 20 ms at 48 kHz.
const maxFrame = 960

// moment is one tick of the time line with what was heard in it.
type moment struct {
	in, out         []int16 // nil: silence
	inRate, outRate int
	paused          bool
}

// timeline puts records in order of their ticks and fills gaps with silence,
// so that both directions are always equally long and never drift.
type timeline struct {
	emit    func(moment)
	slots   [window]slot
	next    uint64 // the oldest tick not emitted
	last    uint64 // the newest tick seen
	started bool
	paused  bool // state at the last emitted tick: holds over gaps
	late    uint64
}

type slot struct {
	moment
	seen   bool
	inBuf  [maxFrame]int16
	outBuf [maxFrame]int16
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
	if rec.pcm == nil {
		return
	}
	if rec.out {
		s.out, s.outRate = s.outBuf[:copy(s.outBuf[:], rec.pcm)], rec.rate
	} else {
		s.in, s.inRate = s.inBuf[:copy(s.inBuf[:], rec.pcm)], rec.rate
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
	l.emit(s.moment)
	s.moment, s.seen = moment{}, false
	l.next++
	return true
}
