package queue

import (
	"cmp"
	"slices"
	"time"

	"b2bua/events"
	"b2bua/flows"
)

// line is one queue: who waits, who answers, and what comes next. It is pure. Its
// inputs are methods that are given the time; each of them ends with settle, which
// brings everything to where it has to be then. What is to be done outside stands
// in orders afterwards.
type line struct {
	id      string
	owner   string // in the roster
	cfg     *flows.Queue
	keyOf   func(flows.QueueMember) string
	roster  *Roster
	grant   func(key string) // called from elsewhere when the roster has a member for us
	members []*member
	entries []*entry // by rank
	places  map[string]place
	stats   Stats
	turn    string // the member that round_robin rang last
	closed  bool   // the queue is no longer configured

	dialBack func(Back) // has a caller called who has hung up

	orders   []func()
	facts    []events.Fact
	released []string // keys of members to be given back to the roster
}

func newLine(q *flows.Queue, keyOf func(flows.QueueMember) string, r *Roster, grant func(string), now time.Time) *line {
	l := &line{id: q.ID, owner: r.owner(q.ID), keyOf: keyOf, roster: r, grant: grant, places: map[string]place{}}
	l.stats.Since = now
	l.configure(now, q)
	return l
}

// configure takes a changed configuration. Members who stay keep what is known of
// them; conversations go on.
func (l *line) configure(now time.Time, q *flows.Queue) {
	l.cfg = q
	old := l.members
	l.members = make([]*member, 0, len(q.Members))
	for i, c := range q.Members {
		key := l.keyOf(c)
		if l.byKey(key) != nil { // the same phone by another name
			continue
		}
		at := slices.IndexFunc(old, func(m *member) bool { return m.Destination == c.Destination && m.key == key })
		if at < 0 { // or spelled otherwise now
			at = slices.IndexFunc(old, func(m *member) bool { return m.key == key && m.state == memberIdle && !m.gone })
		}
		m := &member{key: key, state: memberIdle, since: now, idleSince: now}
		if at >= 0 {
			m = old[at]
		}
		m.QueueMember, m.index, m.gone = c, i, false
		l.members = append(l.members, m)
	}
	for _, m := range old {
		if slices.Contains(l.members, m) {
			continue
		}
		m.gone = true
		if m.state == memberIdle {
			l.roster.unwant(l.owner, m.key)
			continue
		}
		l.members = append(l.members, m)
	}
	l.order()
	l.settle(now)
}

// joining is a caller who wants to wait.
type joining struct {
	caller   Caller
	callID   string
	number   string
	from     string
	dialled  string
	priority int
	group    bool
	maxWait  time.Duration
	id       string // of the entry that waits for a call back; "" for others
}

// join lets a caller wait, or says why not.
func (l *line) join(now time.Time, j joining) (e *entry, refused string) {
	if j.id != "" {
		return l.backAgain(now, j)
	}
	l.stats.Offered++
	kept, returned := l.takePlace(now, j.number)
	switch {
	case l.closed:
		l.stats.Errors++
		return nil, Failed
	case l.cfg.MaxSize > 0 && len(l.entries)-l.callbacks() >= l.cfg.MaxSize && !returned:
		l.stats.Full++
		return nil, Full
	case !l.cfg.JoinWhenEmpty && !slices.ContainsFunc(l.members, l.there):
		l.stats.Empty++
		return nil, Empty
	}
	e = &entry{
		id: events.NewID("qe_"), caller: j.caller, callID: j.callID, number: j.number, from: j.from, dialled: j.dialled, priority: j.priority, group: j.group,
		joined: now, here: now, deadline: now.Add(cmp.Or(j.maxWait, time.Duration(l.cfg.MaxWait)*time.Second)),
		state: entryWaiting, tried: map[*member]bool{},
	}
	if returned {
		e.joined, e.returned = kept.Joined, true
	}
	if joined, waits := l.takeCallback(now, j.number); waits {
		e.joined, e.returned = joined, true
	}
	l.entries = append(l.entries, e)
	l.order()
	l.settle(now)
	return e, ""
}

// takePlace is the place kept for a number, which is taken with it.
func (l *line) takePlace(now time.Time, number string) (place, bool) {
	p, ok := l.places[number]
	delete(l.places, number)
	return p, ok && number != "" && now.Before(p.Until)
}

// order sorts the line. Who was there first stays first among equals.
func (l *line) order() {
	slices.SortStableFunc(l.entries, func(a, b *entry) int {
		return a.rank(l.cfg.Priority).Compare(b.rank(l.cfg.Priority))
	})
}

func (l *line) entry(id string) *entry {
	for _, e := range l.entries {
		if e.id == id {
			return e
		}
	}
	return nil
}

// position is the place in line, from 1; 0 for who is not in it.
func (l *line) position(e *entry) int { return slices.Index(l.entries, e) + 1 }

// missedAtOnce is in what time a phone that rings is not answered or refused by
// hand: the offer has failed for a reason of its own.
const missedAtOnce = time.Second

// refused: a member did not take the caller.
func (l *line) refused(now time.Time, e *entry, destination string) {
	m := l.offered(e, destination)
	if m == nil {
		return
	}
	m.refused++
	e.tried[m] = true
	if e.missed == nil {
		e.missed = map[*member]bool{}
	}
	e.missed[m] = now.Sub(m.since) < missedAtOnce
	l.withdraw(now, e, m)
	l.settle(now)
}

// picked: a member has answered, and hears what the caller does not.
func (l *line) picked(now time.Time, e *entry, destination string) {
	if m := l.offered(e, destination); m != nil {
		m.become(memberAnswered, e, now)
	}
	l.settle(now)
}

// accepted: a member talks to the caller, whom nobody else is rung for any more.
func (l *line) accepted(now time.Time, e *entry, destination string) {
	m := l.offered(e, destination)
	if m == nil {
		return
	}
	for _, other := range slices.Clone(e.offered) {
		if other != m {
			l.withdraw(now, e, other)
		}
	}
	e.offered = nil
	m.become(memberTalking, e, now)
	m.answered++
	l.remove(now, e)
	l.stats.answered(now.Sub(e.here), l.cfg)
	l.settle(now)
}

// over: a member does not talk any more, and has the time of the wrap-up.
func (l *line) over(now time.Time, e *entry, destination string) {
	for _, m := range l.members {
		if m.Destination != destination || m.entry != e || m.state != memberTalking {
			continue
		}
		talked := now.Sub(m.since)
		m.talked += seconds(talked)
		l.stats.talked(talked + time.Duration(l.cfg.WrapUp)*time.Second)
		m.become(memberWrapUp, nil, now)
		m.idleSince, m.until = now, now.Add(time.Duration(l.cfg.WrapUp)*time.Second)
	}
	l.settle(now)
}

// leave: the caller has left the line.
func (l *line) leave(now time.Time, e *entry, result string) {
	if l.position(e) == 0 {
		return
	}
	if e.result != "" && result == Transferred { // told to leave while something else was asked for
		result = e.result
	}
	for _, m := range slices.Clone(e.offered) {
		l.withdraw(now, e, m)
	}
	l.remove(now, e)
	if result == Abandoned && e.number != "" && l.cfg.Keeps() > 0 {
		l.places[e.number] = place{Joined: e.joined, Until: now.Add(l.cfg.Keeps())}
	}
	l.stats.left(result, now.Sub(e.here))
	l.settle(now)
}

// remove takes an entry out of the line.
func (l *line) remove(now time.Time, e *entry) {
	l.entries = slices.DeleteFunc(l.entries, func(x *entry) bool { return x == e })
	l.unreserve(now, e)
}

// offered finds a member who is being rung for an entry.
func (l *line) offered(e *entry, destination string) *member {
	for _, m := range e.offered {
		if m.Destination == destination {
			return m
		}
	}
	return nil
}

// withdraw ends that a member is rung for an entry.
func (l *line) withdraw(now time.Time, e *entry, m *member) {
	e.offered = slices.DeleteFunc(e.offered, func(x *member) bool { return x == m })
	if len(e.offered) == 0 && e.state == entryRinging {
		e.state = entryWaiting
	}
	l.free(m, now)
}

// out tells a caller to leave, once.
func (l *line) out(now time.Time, e *entry, result string) {
	if e.state == entryLeaving || !e.live() {
		return
	}
	e.state, e.result = entryLeaving, result
	l.unreserve(now, e)
	caller := e.caller
	l.orders = append(l.orders, func() { caller.Out(result) })
}

// close ends a queue that is no longer configured: who waits is sent on.
func (l *line) close(now time.Time) {
	l.closed = true
	l.settle(now)
	for _, m := range l.members {
		l.roster.unwant(l.owner, m.key)
	}
}
