package media

import (
	"runtime/debug"
	"time"
)

// fault is what is known of a leg whose sound a panic has ended: a fault of a
// tap, a source, a callback or of this package. The other legs of its shard go
// on, and the owner is told by OnLost, so that the call ends.
type fault struct {
	broken bool
	due    time.Duration // when the owner is told again
}

// rescue is deferred where a leg's packets are taken; the shard's lock is held.
func (s *Session) rescue(where string) {
	if cause := recover(); cause != nil {
		s.shard.Load().lose(s, where, cause, debug.Stack())
	}
}

// lose takes a leg off that has panicked, or cannot be heard, and has that told;
// the lock is held.
func (sh *shard) lose(s *Session, where string, cause any, stack []byte) {
	again := s.fault.broken
	s.fault.broken = true
	sh.drop(s)
	if !again {
		sh.later(s, "fault", func() { s.mourn(where, cause, stack) })
	}
}

// tell tells the owner of a leg something; nothing is locked.
func (s *Session) tell(n news) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		stack, again := debug.Stack(), false
		s.clocked(func() {
			again = s.fault.broken
			s.fault.broken = true
			s.shard.Load().drop(s)
		})
		if !again {
			s.mourn(n.what, cause, stack)
		}
	}()
	n.tell()
}

// each does f for every leg of a phase. One that panics is taken off, and the others
// go on from there: the price is one deferred function, not one a leg.
func (sh *shard) each(p *phase, where string, f func(*lane)) {
	for at := 0; at < len(p.legs); {
		at = sh.eachFrom(p, at, where, f)
	}
}

func (sh *shard) eachFrom(p *phase, first int, where string, f func(*lane)) (at int) {
	at = first
	defer func() {
		if cause := recover(); cause != nil {
			l := p.legs[at]
			sh.lose(l.session, where, cause, debug.Stack())
			if at < len(p.legs) && p.legs[at] == l {
				at++ // whatever happens each leg has one turn
			}
		}
	}()
	for ; at < len(p.legs); at++ {
		f(p.legs[at])
	}
	return at
}

// drop takes a broken leg off its shard, whose lock is held. Nobody is left waiting
// for it: its playback ends, and its bridge peer hears silence.
func (sh *shard) drop(s *Session) {
	if s.leg.gone {
		return
	}
	sh.detach(s)
	sh.deafen(s)
	s.silence()
	s.leg.hearing.pcm = nil
	if p := s.leg.peer; p != nil {
		s.leg.peer = nil
		p.sever(s.engine.now())
	}
	s.fault.due = s.engine.now() + s.opts.Timeout
	sh.broken = append(sh.broken, s)
}

// mourn logs the fault and tells the owner; nothing is locked.
func (s *Session) mourn(where string, cause any, stack []byte) {
	s.log.Error("media leg broken", "where", where, "err", cause, "stack", string(stack))
	s.tellLost()
}

// tellLost tells the owner that nothing comes any more; nothing is locked.
func (s *Session) tellLost() {
	if s.opts.OnLost == nil {
		return
	}
	defer func() {
		if cause := recover(); cause != nil {
			s.log.Error("media owner panicked", "err", cause, "stack", string(debug.Stack()))
		}
	}()
	s.opts.OnLost()
}

// remind tells the owners of broken legs again, as those of silent ones: before
// the answer they may have had no use for it.
func (sh *shard) remind(now time.Duration) {
	for _, s := range sh.broken {
		if now >= s.fault.due {
			s.fault.due = now + s.opts.Timeout
			sh.later(s, "lost", s.tellLost)
		}
	}
}
