package queue

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"b2bua/flows"
)

func newWorld(t failer, r *rand.Rand) *world {
	w := &world{t: t, r: r, now: time.Unix(1_700_000_000, 0), people: map[string]*person{}, gone: map[string]string{},
		stalled: map[*line]stall{}, wakes: map[*line]time.Time{}, last: map[*line]string{}}
	for i := range 2 + r.IntN(6) {
		key := fmt.Sprintf("member_%d", i)
		w.keys = append(w.keys, key)
		w.people[key] = &person{}
	}
	w.roster = NewRoster(func(key string) Presence {
		switch p := w.people[key]; {
		case p.away:
			return Absent
		case p.others:
			return Busy
		}
		return Free
	})
	for i := range 1 + r.IntN(3) {
		w.lines = append(w.lines, w.newLine(w.config(fmt.Sprintf("queue_%d", i))))
	}
	w.at(0, w.chance)
	return w
}

func (w *world) newLine(q *flows.Queue) *line {
	var l *line
	l = newLine(q, func(m flows.QueueMember) string { return m.Destination }, w.roster, func(key string) {
		w.at(w.lag(), func() { w.input(l, func(now time.Time) { l.granted(now, key) }) })
	}, w.now)
	l.dialBack = func(b Back) { w.dialBack(l, b) }
	return l
}

// config makes a configuration of some of the people.
func (w *world) config(id string) *flows.Queue {
	keep := w.r.IntN(60)
	q := &flows.Queue{
		ID: id, Name: id, Strategy: flows.Strategies[w.r.IntN(len(flows.Strategies))], RingTimeout: 5 + w.r.IntN(15), Retry: 1 + w.r.IntN(5),
		WrapUp: w.r.IntN(2) * w.r.IntN(10), MaxSize: w.r.IntN(2) * (1 + w.r.IntN(8)), MaxWait: 20 + w.r.IntN(300), KeepPlaceFor: &keep,
		JoinWhenEmpty: w.r.IntN(2) == 0, LeaveWhenEmpty: w.r.IntN(2) == 0, Priority: w.r.IntN(3),
		Callback: &flows.QueueCallback{Key: "1", Numbers: []string{"+1415*"}},
	}
	for _, key := range w.keys {
		if w.r.IntN(3) > 0 {
			q.Members = append(q.Members, flows.QueueMember{Destination: key, DestinationType: flows.ToDevice, Penalty: w.r.IntN(2) * w.r.IntN(3)})
		}
	}
	q.ApplyDefaults()
	return q
}

// dialBack calls somebody who has hung up.
func (w *world) dialBack(l *line, b Back) {
	w.at(w.reaction(20*time.Second), func() {
		if !w.calm && w.r.IntN(3) == 0 {
			w.input(l, func(now time.Time) { l.notReached(now, b.EntryID, "no answer") })
			return
		}
		w.calledBack++
		w.arrive(l, b.Number, b.EntryID)
		w.input(l, func(now time.Time) { l.notReached(now, b.EntryID, "") })
	})
}

// arrive is a call that comes into a queue.
func (w *world) arrive(l *line, from, entryID string) {
	c := &mcall{w: w, l: l, number: from, rings: map[string]flows.QueueMember{}}
	j := joining{caller: c, number: from, from: from, id: entryID, priority: w.r.IntN(2) * w.r.IntN(3)}
	if entryID == "" && w.r.IntN(10) == 0 {
		j.group, j.maxWait = true, time.Duration(l.cfg.RingTimeout)*time.Second
	}
	w.input(l, func(now time.Time) {
		e, refused := l.join(now, j)
		if refused == "" {
			c.e = e
			w.calls = append(w.calls, c)
		}
	})
	w.arrived++
}

// chance lets something happen that nobody has asked for.
func (w *world) chance() {
	if w.calm {
		return
	}
	w.at(time.Duration(w.r.IntN(6000))*time.Millisecond, w.chance)
	l := w.lines[w.r.IntN(len(w.lines))]
	key := w.keys[w.r.IntN(len(w.keys))]
	p := w.people[key]
	switch n := w.r.IntN(100); {
	case n < 45:
		w.arrive(l, w.someNumber(l), "")
	case n < 65:
		w.callerDoes()
	case n < 72:
		if p.others {
			p.others = false
			w.roster.Freed(key)
		} else if p.rings == nil && p.talks == nil {
			p.others = true
		}
	case n < 77:
		p.away = !p.away
	case n < 92:
		if m := l.member(key); m != nil {
			on := w.r.IntN(3) > 0
			change := Change{Paused: new(bool)}
			*change.Paused = !on
			if w.r.IntN(2) == 0 {
				change = Change{LoggedIn: &on}
			}
			w.input(l, func(now time.Time) { l.change(now, m, change) })
		}
	case n < 96:
		if e := w.someEntry(l); e != nil {
			w.input(l, func(now time.Time) {
				if e.priority = w.r.IntN(4); w.r.IntN(2) == 0 && e.live() {
					l.out(now, e, Timeout)
				}
				l.order()
				l.settle(now)
			})
		}
	case n < 99:
		w.input(l, func(now time.Time) { l.configure(now, w.config(l.id)) })
	case w.r.IntN(10) == 0:
		w.restart()
	}
}

// someNumber is often that of somebody who has hung up before.
func (w *world) someNumber(l *line) string {
	for _, from := range slices.Sorted(maps.Keys(w.gone)) {
		if w.gone[from] == l.id && w.r.IntN(3) == 0 {
			delete(w.gone, from)
			return from
		}
	}
	return number(w.r.IntN(10_000))
}

func (w *world) someEntry(l *line) *entry {
	if len(l.entries) == 0 {
		return nil
	}
	return l.entries[w.r.IntN(len(l.entries))]
}

// callerDoes: a caller hangs up, presses a key, or is taken out by the API.
func (w *world) callerDoes() {
	live := w.calls[:0]
	for _, c := range w.calls {
		if !c.over {
			live = append(live, c)
		}
	}
	w.calls = live
	if len(live) == 0 {
		return
	}
	c := live[w.r.IntN(len(live))]
	switch n := w.r.IntN(10); {
	case c.talks != "":
		c.part()
	case n < 6:
		c.leave(Abandoned)
	case n < 7:
		c.leave(ExitKey)
	case n < 8:
		c.leave(Transferred)
	default:
		for key := range c.rings { // as a call does before it asks
			c.stop(key)
			c.tells(func(now time.Time) { c.l.refused(now, c.e, key) })
		}
		granted := false
		w.input(c.l, func(now time.Time) { granted = c.l.wantsCallback(now, c.e) })
		if granted {
			c.over = true
		}
	}
}

// restart ends all calls, and begins with what was kept.
func (w *world) restart() {
	w.restarts++
	for _, p := range w.people {
		p.rings, p.talks, p.others = nil, nil, false
	}
	for _, c := range w.calls {
		c.over, c.talks = true, ""
		clear(c.rings)
	}
	w.roster.taken, w.roster.wants = map[string]string{}, map[string]map[string]want{}
	old := w.lines
	w.lines, w.calls = nil, nil
	for _, was := range old {
		raw, err := was.save(w.now)
		if err != nil {
			w.t.Fatalf("save: %v", err)
		}
		l := w.newLine(was.cfg)
		w.lines = append(w.lines, l)
		w.last[l] = was.turn
		if err := l.restore(w.now, raw); err != nil {
			w.t.Fatalf("restore: %v", err)
		}
		for i, m := range l.members {
			if o := was.member(m.Destination); o != nil && (m.paused != o.paused || m.loggedOut != o.loggedOut || m.answered != o.answered) {
				w.t.Fatalf("member %d of %s after the restart: %+v, before it %+v", i, l.id, m, o)
			}
		}
		if l.stats.Since = was.stats.Since; l.stats != was.stats {
			w.t.Fatalf("statistics after the restart: %+v, before it %+v", l.stats, was.stats)
		}
	}
	for _, l := range w.lines {
		w.carry(l)
	}
}
