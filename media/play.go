package media

import (
	"sync/atomic"
	"time"
)

// Source is sound to be played: Frame fills dst with the next 20 ms, 160
// samples at 8 kHz, and says whether there is more after them. It runs on the
// clock and must not block. A source belongs to one playback.
type Source interface {
	Frame(dst []int16) (more bool)
}

// Playback is one source being played to a leg.
type Playback struct {
	session  *Session
	source   Source
	done     chan struct{}
	over     bool // clock-owned
	frames   atomic.Int64
	finished atomic.Bool
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
