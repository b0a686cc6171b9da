package queue

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"b2bua/flows"
)

// check looks at everything that must hold at each moment.
func (w *world) check() {
	w.t.Helper()
	held := map[string]string{}
	for _, l := range w.lines {
		w.checkLine(l)
		for _, m := range l.members {
			if !m.held {
				continue
			}
			if held[m.key] != "" {
				w.t.Fatalf("%s is held by %s and %s", m.key, held[m.key], l.id)
			}
			held[m.key] = l.id
			if w.roster.taken[m.key] != l.owner {
				w.t.Fatalf("%s is held by %s, and the roster says %q", m.key, l.owner, w.roster.taken[m.key])
			}
		}
	}
	for key, p := range w.people {
		if p.rings != nil && (p.rings.over || p.rings.talks != "") {
			w.t.Fatalf("%s is rung for a caller who has left or talks", key)
		}
		if p.talks != nil && p.talks.talks != key {
			w.t.Fatalf("%s talks to a caller who talks to %q", key, p.talks.talks)
		}
	}
}

func (w *world) checkLine(l *line) {
	w.t.Helper()
	seen := map[*entry]bool{}
	for i, e := range l.entries {
		if seen[e] {
			w.t.Fatalf("%s stands in line twice", e.id)
		}
		seen[e] = true
		if i > 0 && e.rank(l.cfg.Priority).Before(l.entries[i-1].rank(l.cfg.Priority)) {
			w.t.Fatalf("%s stands behind somebody who came later", e.id)
		}
		if (e.state == entryRinging) != (len(e.offered) > 0) && e.state != entryLeaving {
			w.t.Fatalf("%s is %s with %d members rung", e.id, e.state, len(e.offered))
		}
		if e.live() == (e.state == entryCallback || e.state == entryCalling) {
			w.t.Fatalf("%s is %s, a call of it: %v", e.id, e.state, e.live())
		}
		if (e.reserved != nil) && e.state != entryCalling {
			w.t.Fatalf("%s is %s and keeps a member", e.id, e.state)
		}
		for _, m := range e.offered {
			if m.entry != e || m.state != memberRinging && m.state != memberAnswered || !m.held {
				w.t.Fatalf("%s is rung for %s and is %s, held %v", m.Destination, e.id, m.state, m.held)
			}
		}
	}
	talks := map[*entry]bool{}
	for _, m := range l.members {
		busy := m.state != memberIdle
		if busy != m.held {
			w.t.Fatalf("%s of %s is %s, held %v", m.Destination, l.id, m.state, m.held)
		}
		switch m.state {
		case memberRinging, memberAnswered:
			if !slices.Contains(m.entry.offered, m) || !seen[m.entry] {
				w.t.Fatalf("%s is rung for a caller who has left", m.Destination)
			}
		case memberTalking:
			if seen[m.entry] {
				w.t.Fatalf("%s talks to a caller who stands in line", m.Destination)
			}
			if talks[m.entry] {
				w.t.Fatalf("two members talk to %s", m.entry.id)
			}
			talks[m.entry] = true
		case memberReserved:
			if m.entry.reserved != m {
				w.t.Fatalf("%s is kept for nobody", m.Destination)
			}
		}
	}
	w.checkStarving(l)
}

// checkStarving: who is first in line does not wait for long while somebody is
// free: at the most as long as the longest pause between two rounds.
func (w *world) checkStarving(l *line) {
	w.t.Helper()
	var first *entry
	for _, e := range l.entries {
		if e.state == entryWaiting {
			first = e
			break
		}
	}
	free := first != nil && slices.ContainsFunc(l.members, func(m *member) bool {
		return m.state == memberIdle && m.ready() && w.roster.presence(m.key) == Free && w.roster.taken[m.key] == ""
	})
	if !free {
		delete(w.stalled, l)
		return
	}
	if s := w.stalled[l]; s.first != first {
		w.stalled[l] = stall{first, w.now}
	}
	if most := 6 * time.Second; w.now.Sub(w.stalled[l].since) > most {
		w.t.Fatalf("somebody is free and a caller has waited %s: %s", w.now.Sub(w.stalled[l].since), l.picture(w.now))
	}
}

// stall is who waits in front while somebody is free.
type stall struct {
	first *entry
	since time.Time
}

// best says whether the members rung for a caller are those whom the strategy
// asks for, by an account of its own.
func (w *world) best(l *line, e *entry, o Offer) {
	w.t.Helper()
	rung := func(m *member) bool {
		return slices.ContainsFunc(o.Members, func(c flows.QueueMember) bool { return c.Destination == m.Destination })
	}
	for _, x := range l.entries {
		if x == e {
			break
		}
		if x.state == entryWaiting && e.tries == 0 && !slices.Contains(slices.Collect(maps.Values(x.missed)), true) { // who was called back has a member since it was that caller's turn
			w.t.Fatalf("%s: %s is rung for while another waits in front: %s\nbefore: %s", l.id, e.id, l.picture(w.now), w.before)
		}
	}
	chosen := l.member(o.Members[0].Destination)
	last := w.last[l]
	w.last[l] = o.Members[len(o.Members)-1].Destination
	if l.cfg.Strategy != flows.RingAll && len(o.Members) != 1 {
		w.t.Fatalf("%s: %d members rung at once by %s", l.id, len(o.Members), l.cfg.Strategy)
	}
	for _, m := range l.members {
		if e.tries > 0 { // had somebody kept
			break
		}
		if rung(m) || m.state != memberIdle || !m.ready() || e.tried[m] || w.roster.presence(m.key) != Free || w.roster.taken[m.key] != "" {
			continue
		}
		switch {
		case m.Penalty < chosen.Penalty:
			w.t.Fatalf("%s: %s is rung, and %s has less penalty", l.id, chosen.Destination, m.Destination)
		case m.Penalty > chosen.Penalty:
		case l.cfg.Strategy == flows.RingAll:
			w.t.Fatalf("%s: %s is free and not rung", l.id, m.Destination)
		case l.cfg.Strategy == flows.Linear && m.index < chosen.index,
			l.cfg.Strategy == flows.LongestIdle && m.idleSince.Before(chosen.idleSince),
			l.cfg.Strategy == flows.FewestCalls && m.answered < chosen.answered,
			l.cfg.Strategy == flows.RoundRobin && w.turns(l, last, m) < w.turns(l, last, chosen):
			w.t.Fatalf("%s: %s is rung, and by %s it is the turn of %s", l.id, chosen.Destination, l.cfg.Strategy, m.Destination)
		}
	}
}

// turns counts on from the member who was rung last.
func (w *world) turns(l *line, last string, m *member) int {
	n := len(l.cfg.Members)
	at := slices.IndexFunc(l.cfg.Members, func(c flows.QueueMember) bool { return c.Destination == last })
	for i := 1; i <= n; i++ {
		if l.cfg.Members[(at+i+n)%n].Destination == m.Destination {
			return i
		}
	}
	return n + 1
}

// picture is a line in words.
func (l *line) picture(now time.Time) string {
	text := fmt.Sprintf("%s %s", l.id, l.cfg.Strategy)
	for _, e := range l.entries {
		text += fmt.Sprintf("\n  %s %s group=%v here %s again %s deadline %s", e.id, e.state, e.group, now.Sub(e.here), e.again.Sub(now), e.deadline.Sub(now))
		for m := range e.tried {
			text += " tried " + m.Destination
		}
		for _, m := range e.offered {
			text += " rings " + m.Destination
		}
	}
	for _, m := range l.members {
		text += fmt.Sprintf("\n  %s %s held=%v ready=%v taken=%q", m.Destination, m.state, m.held, m.ready(), l.roster.taken[m.key])
	}
	return text
}
