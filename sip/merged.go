package sip

import (
	"sync"
	"time"
)

// merged remembers INVITEs by what makes two of them one call (RFC 3261
// §8.2.2.2), for as long as a late copy may arrive.
type merged struct {
	ongoing func(tx string) bool // whether that transaction still awaits, or has got, a 2xx

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
	mergedNew   mergedState = iota // the first, a repetition of one that was refused, or the next try of a proxy
	mergedOther                    // the same call by another way
	mergedLate                     // a repetition of one that is over
)

func newMerged(ongoing func(tx string) bool) *merged {
	return &merged{ongoing: ongoing, of: map[string]*mergedInvite{}}
}

func (m *merged) seen(identity, tx string, now time.Time) mergedState {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.queue) > 0 && !m.queue[0].until.After(now) {
		old := m.queue[0]
		if m.of[old.identity] == old {
			delete(m.of, old.identity)
		}
		m.queue = m.queue[1:]
	}
	known, ok := m.of[identity]
	switch {
	case ok && known.tx == tx && known.begun:
		return mergedLate
	case ok && known.tx == tx:
		return mergedNew
	case ok && m.ongoing(known.tx):
		return mergedOther
	}
	// The one before, if any, has failed: a proxy that forks one after the other
	// comes back with the same call in another transaction.
	known = &mergedInvite{identity: identity, tx: tx, until: now.Add(lifetime)}
	m.of[identity] = known
	m.queue = append(m.queue, known)
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
