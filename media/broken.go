package media

import (
	"runtime/debug"
	"sync/atomic"
	"time"
)

// fault is what is known of a leg whose sound a panic has ended: a fault of a
// tap, a source, a callback or of this package. The other legs of its clock go
// on, and the owner is told by OnLost, so that the call ends.
type fault struct {
	broken atomic.Bool
	due    time.Duration // when the owner is told again; the clock's
}

// rescue is deferred where a leg's packets are read.
func (s *Session) rescue(where string) {
	cause := recover()
	if cause == nil || s.fault.broken.Swap(true) {
		return
	}
	stack := debug.Stack()
	s.clocked(func() { s.shard.Load().drop(s) })
	s.mourn(where, cause, stack)
}

// each does f for every leg. One that panics is taken off, and the others
// go on from there: the price is one deferred function, not one a leg.
func (sh *shard) each(where string, f func(*Session)) {
	for at := 0; at < len(sh.legs); {
		at = sh.eachFrom(at, where, f)
	}
}

func (sh *shard) eachFrom(first int, where string, f func(*Session)) (at int) {
	at = first
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		s := sh.legs[at]
		again := s.fault.broken.Swap(true)
		sh.drop(s)
		if stack := debug.Stack(); !again {
			sh.after = append(sh.after, func() { s.mourn(where, cause, stack) })
		}
	}()
	for ; at < len(sh.legs); at++ {
		f(sh.legs[at])
	}
	return at
}

// drop takes a broken leg off its clock, which is held. Nobody is left waiting
// for it: its playback ends, and its bridge peer hears silence.
func (sh *shard) drop(s *Session) {
	sh.detach(s)
	if s.leg.gone {
		return
	}
	s.silence()
	s.leg.heard = false
	if p := s.leg.peer; p != nil {
		s.leg.peer, p.leg.peer = nil, nil
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
			sh.after = append(sh.after, s.tellLost)
		}
	}
}
