package jitter

import "time"

// transit is how long packets are on their way, compared with the fastest of
// them: what is more than that is unsteadiness, which a playout makes up for by
// holding sound back. Nobody can tell how long the fastest one took.
type transit struct {
	at    time.Duration // when the packet was here that all are compared with
	ts    uint32        // its timestamp
	base  time.Duration // how much later than that one the fastest lately was
	least time.Duration // of the stretch at hand
	since time.Duration // when that began
}

const (
	// lately is how long the fastest packet counts. The far end's clock may have
	// gone astray by so much of it since: that of a packet later than all those
	// before need not be a longer way.
	lately = 5 * time.Second
	astray = 2000 // a 2000th: 500 ppm
	// mostHeld is more than any sound is held back for: a far end that stops its
	// clock when it is silent has a new one then.
	mostHeld = 300 * time.Millisecond
)

// start begins anew with the packet of a new stream, which is the fastest one yet.
func (t *transit) start(ts uint32, now time.Duration) {
	*t = transit{at: now, ts: ts, since: now}
}

// of is how much later than the first one what belongs to a timestamp is now.
func (t *transit) of(ts uint32, clock int, now time.Duration) time.Duration {
	return now - t.at - time.Duration(int32(ts-t.ts))*time.Second/time.Duration(clock)
}

// note takes in a packet that has come.
func (t *transit) note(ts uint32, clock int, now time.Duration) {
	if clock == 0 {
		return
	}
	x := t.of(ts, clock, now)
	if x-t.base > mostHeld {
		t.start(ts, now)
		return
	}
	t.base, t.least = min(t.base, x), min(t.least, x)
	if past := now - t.since; past >= lately {
		t.base = min(t.least, t.base+past/astray)
		// Timestamps are compared with one not long ago: they wrap.
		t.at, t.ts = now-x, ts
		t.since, t.least = now, x
	}
}

// heldBack is how long ago the fastest packet with the sound to be played next
// would have come: what was lost on the way in waiting for others. Longer packets
// than usual take longer to be filled.
func (p *Playout) heldBack(now time.Duration) time.Duration {
	q := &p.queue
	if !q.running {
		return 0
	}
	held := q.transit.of(q.pos-uint32(p.ticks(p.to-p.from)), q.clock, now) - q.transit.base
	held += max(p.lasting(p.packet)-frameTime, 0)
	return min(max(held, 0), mostHeld)
}

// Held is how long the sound of the frame given last has been held back.
func (p *Playout) Held() time.Duration { return p.held }

// Stretch says a piece of sound, at a rate of 8000 or 16000, once more that was
// said just before from, where that will not be heard, or anyhow when it is
// urgent; there is room for it behind to. It gives the length of the piece.
func Stretch(sound []int16, from, to, rate int, urgent bool) int {
	return stretch(sound, from, to, rate/8000, urgent)
}

// Compress leaves a piece of at most most samples out of x, as Stretch adds one:
// so much is of no use at the end of x now.
func Compress(x []int16, most, rate int, urgent bool) int {
	return compress(x, most, rate/8000, urgent)
}
