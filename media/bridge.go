package media

import "time"

// Bridge lets two legs hear each other, whoever each was bridged to before.
// What plays to a leg goes on and hides its peer until it ends.
func Bridge(a, b *Session) {
	if a == b {
		return
	}
	e := a.engine
	e.topology.Lock()
	defer e.topology.Unlock()
	if _, ok := e.sessions[a]; !ok {
		return
	}
	if _, ok := e.sessions[b]; !ok {
		return
	}
	for _, s := range []*Session{a, b} {
		if p := s.bridged(); p != nil {
			part(s, p)
		}
	}
	if !move(b, a) {
		return // one of them is broken
	}
	a.clocked(func() {
		if a.leg.gone || b.leg.gone {
			return
		}
		a.leg.peer, b.leg.peer = b, a
	})
}

// Unbridge parts two legs, if they are bridged to each other.
func Unbridge(a, b *Session) {
	a.engine.topology.Lock()
	defer a.engine.topology.Unlock()
	if a.bridged() == b && b != nil {
		part(a, b)
	}
}

// bridged is the leg's peer; the topology lock is held, so that it stays that
// unless one of them breaks.
func (s *Session) bridged() (peer *Session) {
	s.clocked(func() { peer = s.leg.peer })
	return peer
}

// part ends a bridge; the topology lock is held, and both are on one shard.
func part(a, b *Session) {
	a.clocked(func() {
		a.sever(a.engine.now())
		b.sever(b.engine.now())
	})
}

// sever leaves a leg without its peer, which may be on another shard from now
// on: nothing is relayed any more. The lock is held.
func (s *Session) sever(now time.Duration) {
	defer s.rescue("bridge")
	s.wake()
	s.leg.peer = nil
	s.direct(now)
	s.leg.reclaim()
}

// Mute keeps what the far end says from its bridge peer, or ends that. Taps hear
// it all the same.
func (s *Session) Mute(on bool) {
	s.clocked(func() { s.leg.muted = on })
}
