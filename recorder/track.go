package recorder

import (
	"time"

	"b2bua/media/jitter"
)

const (
	// astray is how far sound may be from its place before it is moved there, a
	// period at a time, where that is not heard; patience after how many frames
	// that is done anyhow.
	astray   = 5 * time.Millisecond
	patience = 10
	// elsewhere is how far it may be and still run on from what was before.
	elsewhere = 120 * time.Millisecond
	// remembered is how much of what was said last can be said again.
	remembered = 400 // at 8 kHz; twice that at 16
)

// track is one direction. Its frames are what was played, when it was: late by as
// much as packets had to be held back, and longer or shorter by the periods that
// the playout has said again or left out to change that. On the time line they
// lie where they were said.
type track struct {
	on      bool // at is where the sound runs on
	peer    bool // it was the bridge peer's
	rate    int
	at      int64  // where the next sample belongs
	floor   int64  // before here all is said
	past    uint64 // ticks before this one are over
	wrong   int    // frames for which the sound has been astray
	history [2 * remembered]int16
	known   int
	work    [4*remembered + 4*maxFrame]int16
}

// add lays one frame down.
func (t *track) add(rec record, put func(out bool, at int64, pcm []int16, rate int)) {
	held := min(rec.held, mostHeld)
	if rec.pcm == nil {
		t.on = false
		t.past = max(t.past, rec.tick)
		return
	}
	frame := int64(rec.rate / 50)
	want := int64(rec.tick)*frame - samples(held, rec.rate)
	if rec.rate != t.rate {
		t.floor = t.floor * int64(rec.rate) / int64(max(t.rate, 1))
		t.rate, t.on, t.known = rec.rate, false, 0
	}
	off := want - t.at
	if rec.peer != t.peer || max(off, -off) > samples(elsewhere, t.rate) {
		t.on = false
	}
	t.peer = rec.peer
	if !t.on {
		t.on, t.at, t.wrong, off = true, want, 0, 0
	}
	pcm := t.bring(rec.pcm, int(off))
	if cut := min(max(t.floor-t.at, 0), int64(len(pcm))); cut > 0 {
		pcm, t.at = pcm[cut:], t.at+cut
	}
	put(rec.out, t.at, pcm, t.rate)
	t.at += int64(len(pcm))
	t.floor = max(t.floor, t.at)
	t.past = max(t.past, uint64(max(t.at-samples(astray, t.rate), 0)/frame))
}

// bring moves sound that is off its place towards it: what should come later is
// made longer, what should come sooner shorter.
func (t *track) bring(pcm []int16, off int) []int16 {
	near := int(samples(astray, t.rate))
	x := t.work[:0]
	x = append(x, t.history[:t.known]...)
	x = append(x, pcm...)
	was := t.known
	switch {
	case off >= near:
		t.wrong++
		room := x[:cap(x)]
		x = room[:len(x)+jitter.Stretch(room, was, len(x), t.rate, t.wrong > patience)]
	case off <= -near:
		t.wrong++
		x = x[:len(x)-jitter.Compress(x[was:], -off, t.rate, t.wrong > patience)]
	}
	if len(x) != was+len(pcm) || max(off, -off) < near {
		t.wrong = 0
	}
	keep := min(len(x), remembered*t.rate/8000)
	t.known = copy(t.history[:], x[len(x)-keep:])
	return x[was:]
}
