package sip

import (
	"sync"
	"time"
)

// merged remembers INVITEs by what makes two of them one call (RFC 3261
// §8.2.2.2), for as long as a late copy may arrive.
type merged struct {
	mu    sync.Mutex
	of    map[string]*mergedInvite
	queue []*mergedInvite // by until
}

type mergedInvite struct {
	identity string
	tx       string
	begun    bool
	until    time.Time
}

type mergedState int

const (
	mergedNew   mergedState = iota // the first, or a repetition of one that was refused
	mergedOther                    // the same call by another way
	mergedLate                     // a repetition of one that is over
)

func newMerged() *merged { return &merged{of: map[string]*mergedInvite{}} }

func (m *merged) seen(identity, tx string, now time.Time) mergedState {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.queue) > 0 && !m.queue[0].until.After(now) {
		delete(m.of, m.queue[0].identity)
		m.queue = m.queue[1:]
	}
	known, ok := m.of[identity]
	switch {
	case !ok:
		known = &mergedInvite{identity: identity, tx: tx, until: now.Add(lifetime)}
		m.of[identity] = known
		m.queue = append(m.queue, known)
	case known.tx != tx:
		return mergedOther
	case known.begun:
		return mergedLate
	}
	return mergedNew
}

// begun notes that the INVITE was taken on.
func (m *merged) begun(identity string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.of[identity]; ok {
		known.begun = true
	}
}
