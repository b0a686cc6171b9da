package media

import (
	"sync/atomic"
	"time"
)

// Source is sound to be played: Frame fills dst with the next 20 ms and says
// whether there is more after them. It runs on the clock and must not block. A
// source belongs to one playback. It gives 8000 samples a second, unless it has a
// method Rate() int that says 16000; one that has a method Tune(rate int) is told
// before it begins what the far end hears.
type Source interface {
	Frame(dst []int16) (more bool)
}

type rated interface{ Rate() int }

type tunable interface{ Tune(rate int) }

// Playback is one source being played to a leg.
type Playback struct {
	session  *Session
	source   Source
	done     chan struct{}
	over     bool // clock-owned
	frames   atomic.Int64
	finished atomic.Bool

	begun   bool
	rate    int // of the source
	convert converter
	frame   [maxFrame]int16
}

// fill makes the next frame, at a rate.
func (p *Playback) fill(dst []int16, rate int) (more bool) {
	if !p.begun {
		p.begin(rate)
	}
	p.frames.Add(1)
	if p.rate == rate {
		return p.source.Frame(dst)
	}
	src := p.frame[:p.rate/50]
	more = p.source.Frame(src)
	p.convert.frame(dst, rate, src, p.rate)
	return more
}

func (p *Playback) begin(rate int) {
	p.begun, p.rate = true, sampleRate
	if t, ok := p.source.(tunable); ok {
		t.Tune(rate)
	}
	if r, ok := p.source.(rated); ok && r.Rate() == 2*sampleRate {
		p.rate = 2 * sampleRate
	}
}

// Play plays src to the far end in place of whatever played before. While it
// lasts it hides the bridge peer. On a closed session the playback is done at
// once.
func (s *Session) Play(src Source) *Playback {
	p := &Playback{session: s, source: src, done: make(chan struct{})}
	s.clocked(func() {
		if s.leg.gone {
			p.end(false)
			return
		}
		if old := s.leg.play; old != nil {
			old.end(false)
		}
		s.leg.play = p
	})
	return p
}

// Done is closed when the last frame has been sent, or the playback was
// stopped or replaced, or the session closed.
func (p *Playback) Done() <-chan struct{} { return p.done }

// Stop ends the playback now.
func (p *Playback) Stop() {
	p.session.clocked(func() {
		if p.session.leg.play == p {
			p.session.leg.play = nil
		}
		if o := p.session.leg.over; o != nil && o.play == p {
			o.play = nil
		}
		p.end(false)
	})
}

// Finished reports whether it was played to its end.
func (p *Playback) Finished() bool { return p.finished.Load() }

// Played is how much of it has been sent.
func (p *Playback) Played() time.Duration { return time.Duration(p.frames.Load()) * frameTime }

// end closes Done; the shard's lock is held.
func (p *Playback) end(finished bool) {
	if p.over {
		return
	}
	p.over = true
	p.finished.Store(finished)
	close(p.done)
}
