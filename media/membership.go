package media

import (
	"fmt"
	"slices"
)

// add takes a leg on, in the emptiest phase.
func (sh *shard) add(s *Session) error {
	sh.mu.Lock()
	defer sh.release()
	if err := sh.ready(); err != nil {
		return err
	}
	if err := sh.hear(s); err != nil {
		sh.rest()
		return err
	}
	s.shard.Store(sh)
	s.phase = sh.emptiest()
	sh.attach(s)
	return nil
}

// attach takes a leg on; the lock is held.
func (sh *shard) attach(s *Session) {
	sh.phases[s.phase].join(s, s.phase, sh.engine.now())
	sh.size.Add(1)
	sh.nudge()
}

// detach lets a leg go; the lock is held.
func (sh *shard) detach(s *Session) {
	if sh.phases[s.phase].leave(s) {
		sh.size.Add(-1)
	}
	if i := slices.Index(sh.broken, s); i >= 0 {
		sh.broken = slices.Delete(sh.broken, i, i+1)
	}
}

// hear puts a leg's sockets on the poll; the lock is held.
func (sh *shard) hear(s *Session) error {
	for _, fd := range s.polled() {
		if err := sh.poll.Add(fd); err != nil {
			sh.deafen(s)
			return fmt.Errorf("media: %w", err)
		}
	}
	return nil
}

// deafen takes them off again.
func (sh *shard) deafen(s *Session) {
	for _, fd := range s.polled() {
		sh.poll.Remove(fd)
	}
}

// remove lets a leg go for good: it says goodbye and gives its ports back.
func (sh *shard) remove(s *Session) error {
	sh.mu.Lock()
	defer sh.release()
	sh.detach(s)
	s.silence()
	s.sayBye()
	sh.deafen(s)
	s.mail.close()
	err := s.hangUp()
	sh.rest()
	return err
}

// clocked runs f while the leg's shard stands still. It may change the leg.
func (s *Session) clocked(f func()) {
	sh := s.lock()
	defer sh.release()
	f()
	s.wake()
}

// lock takes the lock of the shard that the leg is on.
func (s *Session) lock() *shard {
	for {
		sh := s.shard.Load()
		sh.mu.Lock()
		if s.shard.Load() == sh {
			return sh
		}
		sh.mu.Unlock()
	}
}
