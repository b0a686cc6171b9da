package queue

import (
	"fmt"
	"sync"
	"time"
)

// Presence is how a member is, as far as calls outside of queues know.
type Presence int

// The presences.
const (
	Free   Presence = iota
	Busy            // in another call of the switch
	Absent          // cannot be rung: no phone of theirs is registered
)

// Roster knows which queue has which member. A person may be a member of several
// queues and is rung for one caller at a time, so it is the one place where queues
// meet, and the one with a lock. It calls nobody while it holds it.
type Roster struct {
	// Presence looks at a member whom no queue has; nil: everybody is free.
	Presence func(key string) Presence

	mu    sync.Mutex
	taken map[string]string          // key of the member: id of the queue
	wants map[string]map[string]want // who waits for a member, by queue
	made  int                        // owners
}

type want struct {
	rank  time.Time    // of the first caller there
	grant func(string) // told, on no lock, that the member is that queue's
}

// NewRoster makes a roster in which everybody is free.
func NewRoster(presence func(key string) Presence) *Roster {
	return &Roster{Presence: presence, taken: map[string]string{}, wants: map[string]map[string]want{}}
}

// owner names a queue in the roster. One that is made anew under an old id is
// another: members may still talk to callers of the one before.
func (r *Roster) owner(queue string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made++
	return fmt.Sprintf("%s/%d", queue, r.made)
}

// leave has a queue that is no more want nobody, and gives back whom it has.
func (r *Roster) leave(queue string) {
	var free []string
	r.mu.Lock()
	for key := range r.wants {
		r.forget(queue, key)
	}
	for key, has := range r.taken {
		if has == queue {
			delete(r.taken, key)
			free = append(free, key)
		}
	}
	r.mu.Unlock()
	for _, key := range free {
		r.Freed(key)
	}
}

// take makes the member the queue's. A member who is busy elsewhere is remembered
// as wanted: when free, the queue whose caller has waited longest gets the member
// without asking again.
func (r *Roster) take(queue, key string, w want) bool {
	presence := r.presence(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.taken[key] == queue: // granted, which has not been heard of yet
		return true
	case r.taken[key] == "" && presence == Free:
		r.taken[key] = queue
		r.forget(queue, key)
		return true
	case presence == Absent:
		r.forget(queue, key)
		return false
	}
	r.remember(queue, key, w)
	return false
}

// want remembers that callers of the queue wait for the member.
func (r *Roster) want(queue, key string, w want) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remember(queue, key, w)
}

func (r *Roster) remember(queue, key string, w want) {
	if r.wants[key] == nil {
		r.wants[key] = map[string]want{}
	}
	r.wants[key][queue] = w
}

// has reports whether the member is the queue's.
func (r *Roster) has(queue, key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken[key] == queue
}

// release gives the member back.
func (r *Roster) release(queue, key string) {
	r.mu.Lock()
	if r.taken[key] == queue {
		delete(r.taken, key)
	}
	r.mu.Unlock()
	r.Freed(key)
}

// Freed says that a member may be free again: whoever wants the member most, has
// the member now.
func (r *Roster) Freed(key string) {
	presence := r.presence(key)
	r.mu.Lock()
	if r.taken[key] != "" || presence != Free {
		r.mu.Unlock()
		return
	}
	var best want
	queue := ""
	for id, w := range r.wants[key] {
		if queue == "" || w.rank.Before(best.rank) || w.rank.Equal(best.rank) && id < queue {
			queue, best = id, w
		}
	}
	if queue == "" {
		r.mu.Unlock()
		return
	}
	r.taken[key] = queue
	r.forget(queue, key)
	r.mu.Unlock()
	best.grant(key)
}

// unwant forgets that the queue waits for the member.
func (r *Roster) unwant(queue, key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(queue, key)
}

func (r *Roster) forget(queue, key string) {
	delete(r.wants[key], queue)
	if len(r.wants[key]) == 0 {
		delete(r.wants, key)
	}
}

func (r *Roster) presence(key string) Presence {
	if r.Presence == nil {
		return Free
	}
	return r.Presence(key)
}

// look is how a member is for those who do not have the member.
func (r *Roster) look(key string) Presence {
	r.mu.Lock()
	taken := r.taken[key] != ""
	r.mu.Unlock()
	if taken {
		return Busy
	}
	return r.presence(key)
}
