package media

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
	b.shard.Load().move(b, a.shard.Load())
	a.clocked(func() {
		if a.leg.gone || b.shard.Load() != a.shard.Load() || b.leg.gone {
			// One of them is broken.
			return
		}
		a.leg.peer, b.leg.peer = b, a
		a.peer.Store(b)
		b.peer.Store(a)
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

// bridged is the leg's peer; the topology lock is held.
func (s *Session) bridged() *Session { return s.peer.Load() }

// part ends a bridge; the topology lock is held, and both are on one clock.
func part(a, b *Session) {
	a.clocked(func() {
		a.leg.peer, b.leg.peer = nil, nil
		a.peer.Store(nil)
		b.peer.Store(nil)
	})
}

// Mute keeps what the far end says from its bridge peer, or ends that. Taps hear
// it all the same.
func (s *Session) Mute(on bool) {
	s.clocked(func() { s.leg.muted = on })
}
