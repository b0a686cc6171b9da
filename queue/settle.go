package queue

import (
	"cmp"
	"slices"
	"time"

	"b2bua/flows"
)

// settle does what the time has brought, and gives free members to callers. Every
// input ends here, and so does every tick.
func (l *line) settle(now time.Time) {
	for _, m := range l.members {
		if m.state == memberWrapUp && !now.Before(m.until) {
			l.free(m, now)
		}
	}
	l.members = slices.DeleteFunc(l.members, func(m *member) bool { return m.gone && m.state == memberIdle })
	for number, p := range l.places {
		if !now.Before(p.Until) {
			delete(l.places, number)
		}
	}
	l.dismiss(now)
	l.giveBack(false)
	l.assign(now)
	for _, m := range l.members {
		if m.held && m.state == memberIdle { // nobody here can use it
			l.free(m, now)
		}
	}
	l.giveBack(true)
}

// dismiss sends those on who have waited long enough.
func (l *line) dismiss(now time.Time) {
	nobody := l.cfg.LeaveWhenEmpty && !slices.ContainsFunc(l.members, l.there)
	for _, e := range slices.Clone(l.entries) {
		switch {
		case l.closed && e.live():
			l.out(now, e, Failed)
		case l.closed:
			l.abandonCallback(now, e, "the queue was deleted")
		case e.state == entryCallback && !l.cfg.Callback.May(e.number):
			l.abandonCallback(now, e, "the queue may not call this number any more")
		case e.state == entryCallback && !now.Before(e.deadline):
			l.abandonCallback(now, e, "nobody was free in time")
		case !e.live() || l.answering(e):
		case !now.Before(e.deadline):
			l.out(now, e, Timeout)
		case nobody && e.state == entryWaiting:
			l.out(now, e, Empty)
		}
	}
}

// answering reports whether a member is about to talk to the caller.
func (l *line) answering(e *entry) bool {
	return slices.ContainsFunc(e.offered, func(m *member) bool { return m.state == memberAnswered })
}

// giveBack lets the roster have the members who are free. Those whom callers here
// wait for are wanted back: who has waited longest among all queues gets them.
func (l *line) giveBack(final bool) {
	keys := l.released
	l.released = nil
	for _, key := range keys {
		m := l.byKey(key)
		if m != nil && m.held { // and has been taken again
			continue
		}
		if !final && m != nil && m.ready() {
			if e := l.wantedBy(m); e != nil && l.roster.presence(key) != Absent {
				l.roster.want(l.owner, key, want{rank: e.rank(l.cfg.Priority), grant: l.grant})
			}
		}
		l.roster.release(l.owner, key)
	}
}

// wantedBy is the first caller who could be given a member.
func (l *line) wantedBy(m *member) *entry {
	for _, e := range l.entries {
		if (e.state == entryWaiting || e.state == entryCallback) && !e.tried[m] {
			return e
		}
	}
	return nil
}

// assign goes through the line from its head and rings members for each caller who
// has none rung. A caller for whom everybody free has been rung waits a moment,
// and nobody behind may have those members meanwhile, unless they could not even
// be rung for that caller.
func (l *line) assign(now time.Time) {
	spoken := map[*member]bool{}
	for _, e := range slices.Clone(l.entries) {
		if e.state == entryCallback && now.Before(e.notYet) {
			continue
		}
		if e.state != entryWaiting && e.state != entryCallback {
			continue
		}
		if !e.again.IsZero() && !now.Before(e.again) {
			e.again = time.Time{}
			clear(e.tried)
		}
		chosen := l.choose(e, spoken)
		if len(chosen) == 0 {
			l.rest(now, e, spoken)
			continue
		}
		if e.state == entryCallback {
			l.callBack(now, e, chosen)
			continue
		}
		l.ring(now, e, chosen)
	}
	l.dismissGroups(now)
}

// dismissGroups sends callers of ring groups on for whom nobody is left to ring:
// they ring once.
func (l *line) dismissGroups(now time.Time) {
	for _, e := range l.entries {
		if e.group && e.state == entryWaiting && !e.again.IsZero() {
			l.out(now, e, Timeout)
		}
	}
}

// rest: everybody who is free has been rung for the caller.
func (l *line) rest(now time.Time, e *entry, spoken map[*member]bool) {
	for m := range e.tried {
		if m.ready() && !e.missed[m] {
			spoken[m] = true
		}
	}
	if e.state == entryWaiting {
		l.unreserve(now, e) // who paused meanwhile
	}
	if e.again.IsZero() && (len(e.tried) > 0 || e.group) {
		e.again = now.Add(time.Duration(l.cfg.Retry) * time.Second)
	}
}

// unreserve lets the member go who was kept for a caller, unless rung by now.
func (l *line) unreserve(now time.Time, e *entry) {
	r := e.reserved
	e.reserved = nil
	if r != nil && r.state == memberReserved {
		l.free(r, now)
	}
}

// ring offers the caller to members.
func (l *line) ring(now time.Time, e *entry, chosen []*member) {
	o := Offer{Timeout: time.Duration(l.cfg.RingTimeout) * time.Second, Waited: now.Sub(e.here)}
	if e.group && len(chosen) > 1 {
		o.Timeout = e.deadline.Sub(now)
	}
	for _, m := range chosen {
		m.become(memberRinging, e, now)
		o.Members = append(o.Members, m.QueueMember)
		l.turn = m.Destination
	}
	l.unreserve(now, e)
	e.offered, e.state, e.again = chosen, entryRinging, time.Time{}
	e.offers++
	caller := e.caller
	l.orders = append(l.orders, func() { caller.Ring(o) })
}

// choose takes the members to be rung next for a caller: of those who are free and
// were not rung for the caller in this round, the ones with the least penalty; all
// of them, or the first by the strategy.
func (l *line) choose(e *entry, spoken map[*member]bool) []*member {
	var free []*member
	for _, m := range l.members {
		idle := m.state == memberIdle || m.state == memberReserved && m.entry == e
		if idle && m.ready() && !e.tried[m] && !spoken[m] {
			free = append(free, m)
		}
	}
	slices.SortStableFunc(free, func(a, b *member) int { return cmp.Or(cmp.Compare(a.Penalty, b.Penalty), l.prefer(a, b)) })
	rank := e.rank(l.cfg.Priority)
	var chosen []*member
	for _, m := range free {
		if len(chosen) > 0 && (m.Penalty != chosen[0].Penalty || !l.everybody(e)) {
			break
		}
		if l.seize(m, rank) {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

// everybody reports whether all members ring at once. Who is called back has one
// member held, who is not kept waiting by the others.
func (l *line) everybody(e *entry) bool {
	return l.cfg.Strategy == flows.RingAll && e.state == entryWaiting
}

// prefer compares two free members of one penalty.
func (l *line) prefer(a, b *member) int {
	switch l.cfg.Strategy {
	case flows.RoundRobin:
		return cmp.Compare(l.turns(a), l.turns(b))
	case flows.LongestIdle:
		return cmp.Or(a.idleSince.Compare(b.idleSince), cmp.Compare(a.index, b.index))
	case flows.FewestCalls:
		return cmp.Or(cmp.Compare(a.answered, b.answered), a.idleSince.Compare(b.idleSince), cmp.Compare(a.index, b.index))
	}
	return cmp.Compare(a.index, b.index)
}

// turns is how many members come before m when going on from the one rung last.
func (l *line) turns(m *member) int {
	n := len(l.members)
	last := slices.IndexFunc(l.members, func(x *member) bool { return x.Destination == l.turn })
	return (m.index - last - 1 + 2*n) % n
}

// wake is when something happens by itself; zero when nothing does.
func (l *line) wake(now time.Time) time.Time {
	var first time.Time
	soon := func(t time.Time) {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	waits := false
	for _, e := range l.entries {
		switch e.state {
		case entryWaiting:
			waits = true
			soon(e.deadline)
			soon(e.again)
		case entryRinging:
			if !l.answering(e) {
				soon(e.deadline)
			}
		case entryCallback:
			soon(e.deadline)
			if now.Before(e.notYet) {
				soon(e.notYet)
			} else {
				waits = true
				soon(e.again)
			}
		}
	}
	for _, m := range l.members {
		if m.state == memberWrapUp {
			soon(m.until)
		}
	}
	if waits { // for phones that register, of which nobody tells
		soon(now.Add(time.Duration(max(1, l.cfg.Retry)) * time.Second))
	}
	return first
}
