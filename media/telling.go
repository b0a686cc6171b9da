package media

import "sync"

// news is something that the owner of a leg is to be told.
type news struct {
	what string
	tell func()
}

// mailbox is what an owner has yet to be told. It is the leg's own, so that the
// order stays when the leg moves to another shard. Its lock is the innermost one,
// and not held while something is told.
type mailbox struct {
	mu      sync.Mutex
	list    []news
	telling bool // by somebody, at this moment
	shut    bool // the session is closed: nothing is told any more
}

// later has the owner of a leg told something when the lock of its shard, which is
// held, is released.
func (sh *shard) later(s *Session, what string, tell func()) {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	if s.mail.shut {
		return
	}
	s.mail.list = append(s.mail.list, news{what, tell})
	sh.after = append(sh.after, s)
}

// unlock releases the lock and tells the owners what there is to tell. The loop
// and the readers use it; whoever may hold other locks uses release.
func (sh *shard) unlock() {
	for len(sh.after) > 0 {
		after := sh.after
		sh.after = nil
		sh.mu.Unlock()
		for _, s := range after {
			s.tellAll()
		}
		sh.mu.Lock()
	}
	sh.mu.Unlock()
}

// release releases the lock and leaves the telling to the loop.
func (sh *shard) release() {
	if len(sh.after) > 0 {
		sh.nudge()
	}
	sh.mu.Unlock()
}

// tellAll tells an owner all there is, in order: whoever finds somebody telling
// leaves it to him.
func (s *Session) tellAll() {
	m := &s.mail
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.telling {
		return
	}
	m.telling = true
	for len(m.list) > 0 {
		n := m.list[0]
		m.list = m.list[1:]
		m.mu.Unlock()
		s.tell(n)
		m.mu.Lock()
	}
	m.list, m.telling = nil, false
}

// close drops what has not been told yet, and whatever comes later.
func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list, m.shut = nil, true
}
