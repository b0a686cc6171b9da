package queue

import (
	"time"

	"b2bua/flows"
)

// What a member does, as far as the queue has to do with it.
const (
	memberIdle     = "idle"
	memberReserved = "reserved" // for a caller who is being called back
	memberRinging  = "ringing"
	memberAnswered = "answered" // hears the whisper, or is to press a key
	memberTalking  = "talking"
	memberWrapUp   = "wrap_up"
)

// member is somebody who answers, and what is known of them. Those who are no
// longer in the configuration stay until they are idle.
type member struct {
	flows.QueueMember
	key   string // the same in all queues
	index int    // in the configuration
	gone  bool   // taken out of the configuration

	state string
	entry *entry // whom it is busy with
	held  bool   // the roster says that this queue has it
	until time.Time

	loggedOut bool
	paused    bool
	reason    string
	answered  int       // callers
	refused   int       // offers that came to nothing
	talked    duration  // in all
	since     time.Time // of the last change of what it does
	idleSince time.Time // end of the last conversation, or since it is known
}

// duration is a time.Duration that JSON has as seconds.
type duration float64

func seconds(d time.Duration) duration { return duration(d.Seconds()) }

// ready reports whether the member takes callers at all.
func (m *member) ready() bool { return !m.gone && !m.loggedOut && !m.paused }

// there reports whether the member can be expected to take a caller sooner or
// later: a pause ends.
func (l *line) there(m *member) bool {
	return !m.gone && !m.loggedOut && (m.held || l.roster.presence(m.key) != Absent)
}

// become changes what the member does.
func (m *member) become(state string, e *entry, now time.Time) {
	m.state, m.entry, m.since = state, e, now
}

// seize makes the member this queue's; false when somebody else has it.
func (l *line) seize(m *member, rank time.Time) bool {
	if m.held {
		return true
	}
	for _, other := range l.members { // the same person, by another name before
		if other != m && other.key == m.key && other.held {
			return false
		}
	}
	m.held = l.roster.take(l.owner, m.key, want{rank: rank, grant: l.grant})
	return m.held
}

// free lets the member go.
func (l *line) free(m *member, now time.Time) {
	m.become(memberIdle, nil, now)
	if m.held {
		m.held = false
		l.released = append(l.released, m.key)
	}
}

// granted: the roster has given us a member that a caller here waited for.
func (l *line) granted(now time.Time, key string) {
	if !l.roster.has(l.owner, key) { // used and given back meanwhile
		return
	}
	if m := l.byKey(key); m != nil {
		m.held = true
	} else {
		l.released = append(l.released, key)
	}
	l.settle(now)
}

func (l *line) byKey(key string) *member {
	for _, m := range l.members {
		if m.key == key {
			return m
		}
	}
	return nil
}

// member finds one by its destination; those who were taken out are not found.
func (l *line) member(destination string) *member {
	for _, m := range l.members {
		if m.Destination == destination && !m.gone {
			return m
		}
	}
	return nil
}

// talking reports whether a member talks to a caller of this queue.
func (l *line) talking() bool {
	for _, m := range l.members {
		if m.state == memberTalking || m.state == memberWrapUp {
			return true
		}
	}
	return false
}
