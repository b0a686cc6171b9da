package queue

import (
	"encoding/json"
	"fmt"
	"time"

	"b2bua/events"
)

// state is what a queue must not forget when the switch stops. Callers who wait
// are gone then; those who call again soon have their places.
type state struct {
	Members   map[string]memberState `json:"members,omitempty"` // by destination
	Callbacks []callbackState        `json:"callbacks,omitempty"`
	Places    map[string]place       `json:"places,omitempty"`
	Stats     Stats                  `json:"stats"`
	Turn      string                 `json:"turn,omitempty"`
}

type memberState struct {
	LoggedOut bool      `json:"logged_out,omitempty"`
	Paused    bool      `json:"paused,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Answered  int       `json:"answered,omitempty"`
	Refused   int       `json:"refused,omitempty"`
	Talked    duration  `json:"talked,omitempty"`
	IdleSince time.Time `json:"idle_since"`
}

type callbackState struct {
	ID       string    `json:"id"`
	Number   string    `json:"number"`
	From     string    `json:"from"`
	Dialled  string    `json:"dialled"`
	Priority int       `json:"priority,omitempty"`
	Joined   time.Time `json:"joined"`
	Deadline time.Time `json:"deadline"`
	Tries    int       `json:"tries,omitempty"`
	NotYet   time.Time `json:"not_yet,omitzero"`
}

// save writes the state down.
func (l *line) save(now time.Time) ([]byte, error) {
	s := state{Members: map[string]memberState{}, Places: map[string]place{}, Stats: l.stats, Turn: l.turn}
	for _, m := range l.members {
		s.Members[m.Destination] = memberState{LoggedOut: m.loggedOut, Paused: m.paused, Reason: m.reason,
			Answered: m.answered, Refused: m.refused, Talked: m.talked, IdleSince: m.idleSince}
	}
	for number, p := range l.places {
		s.Places[number] = p
	}
	for _, e := range l.entries {
		switch {
		case e.state == entryCallback || e.state == entryCalling:
			notYet := e.notYet
			if e.state == entryCalling { // not again at once, if this is the last that is known
				notYet = now.Add(callbackPause)
			}
			s.Callbacks = append(s.Callbacks, callbackState{ID: e.id, Number: e.number, From: e.from, Dialled: e.dialled, Priority: e.priority,
				Joined: e.joined, Deadline: e.deadline, Tries: e.tries, NotYet: notYet})
		case e.number != "" && l.cfg.Keeps() > 0:
			s.Places[e.number] = place{Joined: e.joined, Until: now.Add(l.cfg.Keeps())}
		}
	}
	return json.Marshal(s)
}

// restore takes back what save wrote.
func (l *line) restore(now time.Time, raw []byte) error {
	var s state
	if err := json.Unmarshal(raw, &s); err != nil {
		return fmt.Errorf("read the state of queue %s: %w", l.id, err)
	}
	for _, m := range l.members {
		if k, ok := s.Members[m.Destination]; ok {
			m.loggedOut, m.paused, m.reason = k.LoggedOut, k.Paused, k.Reason
			m.answered, m.refused, m.talked, m.idleSince = k.Answered, k.Refused, k.Talked, k.IdleSince
		}
	}
	for number, p := range s.Places {
		if now.Before(p.Until) {
			l.places[number] = p
		}
	}
	for _, k := range s.Callbacks {
		l.entries = append(l.entries, &entry{id: k.ID, number: k.Number, from: k.From, dialled: k.Dialled, priority: k.Priority, joined: k.Joined, here: k.Joined,
			deadline: k.Deadline, tries: k.Tries, notYet: k.NotYet, state: entryCallback, tried: map[*member]bool{}})
	}
	l.stats, l.turn = s.Stats, s.Turn
	l.order()
	l.settle(now)
	return nil
}

// Change is what is asked of a member; nil leaves as it is.
type Change struct {
	LoggedIn *bool
	Paused   *bool
	Reason   string // of the pause
	By       string // api | phone
}

// change carries out a change. Somebody who is being rung goes on to be; the next
// caller is somebody else's.
func (l *line) change(now time.Time, m *member, c Change) {
	was := [3]any{m.loggedOut, m.paused, m.reason}
	if c.LoggedIn != nil {
		if m.loggedOut && *c.LoggedIn {
			m.idleSince = now
		}
		m.loggedOut = !*c.LoggedIn
	}
	if c.Paused != nil {
		m.paused, m.reason = *c.Paused, ""
		if m.paused {
			m.reason = c.Reason
		}
	}
	if was != [3]any{m.loggedOut, m.paused, m.reason} {
		if !m.ready() {
			l.roster.unwant(l.owner, m.key)
		}
		l.facts = append(l.facts, &events.QueueMember{QueueID: l.id, Member: m.Destination, LoggedIn: !m.loggedOut,
			Paused: m.paused, Reason: m.reason, By: c.By, At: now})
	}
	l.settle(now)
}
