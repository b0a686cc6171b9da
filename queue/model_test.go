package queue

import (
	"container/heap"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"b2bua/flows"
)

var steps = flag.Int("steps", 100_000, "steps of the model")

// TestModel plays a day with queues that share members: callers come, hang up,
// press keys and come back; phones answer, refuse, ring out and fail; people pause,
// log out and talk elsewhere; configurations change and the switch is restarted.
// Messages between calls and queues take their time and cross each other. After
// every step the invariants hold, and in the end everybody was dealt with.
func TestModel(t *testing.T) {
	const worlds = 20
	done := 0
	for seed := range uint64(worlds) {
		w := newWorld(t, rand.New(rand.NewPCG(seed, 8)))
		for w.steps < *steps/worlds {
			w.step()
		}
		w.wind()
		done += w.steps
		t.Logf("seed %d: %d steps, %d callers, %d bridged, %d rung, %d callbacks, %d restarts", seed, w.steps, w.arrived, w.bridged, w.rung, w.calledBack, w.restarts)
	}
	if done < *steps {
		t.Errorf("only %d steps", done)
	}
}

// TestModelByRapid does the same on worlds that rapid makes, and makes smaller.
func TestModelByRapid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 9)))
		for n := rapid.IntRange(1, 400).Draw(t, "steps"); w.steps < n; {
			w.step()
		}
		w.wind()
	})
}

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

// world is what is around the queues: calls, phones and time.
type world struct {
	t       failer
	r       *rand.Rand
	now     time.Time
	agenda  agenda
	serial  int
	roster  *Roster
	lines   []*line
	people  map[string]*person
	keys    []string
	calls   []*mcall
	gone    map[string]string // numbers of callers who have hung up: queue
	calm    bool              // nothing new happens any more
	stalled map[*line]stall
	last    map[*line]string // rung last, for round_robin

	wakes  map[*line]time.Time // when each line will be woken
	before string

	steps, arrived, bridged, rung, calledBack, restarts int
}

// person is a member's phone.
type person struct {
	rings  *mcall
	talks  *mcall
	away   bool // the phone is not registered
	others bool // in a call outside of the queues
}

// mcall is a call as its own loop sees it.
type mcall struct {
	w      *world
	l      *line
	e      *entry
	number string
	rings  map[string]flows.QueueMember
	talks  string
	over   bool // the caller is not there any more, or has left the line
	sent   time.Time
	heard  time.Time
}

func (w *world) at(d time.Duration, f func()) {
	w.serial++
	heap.Push(&w.agenda, happening{w.now.Add(d), w.serial, f})
}

// lag is what a message takes.
func (w *world) lag() time.Duration {
	if w.r.IntN(4) == 0 {
		return time.Duration(w.r.IntN(300)) * time.Millisecond
	}
	return 0
}

// tells sends a message of the call to its queue, in order.
func (c *mcall) tells(f func(now time.Time)) {
	w := c.w
	at := w.now.Add(w.lag())
	if at.Before(c.sent) {
		at = c.sent
	}
	c.sent = at
	w.at(at.Sub(w.now), func() { w.input(c.l, f) })
}

func (c *mcall) Ring(o Offer) {
	e := c.e
	if e == nil { // rung for as it joins
		e = c.l.entries[slices.IndexFunc(c.l.entries, func(e *entry) bool { return e.caller == Caller(c) })]
	}
	c.w.best(c.l, e, o)
	c.told(func() { c.ring(o) })
}

func (c *mcall) Out(result string) {
	c.told(func() {
		if c.over || c.talks != "" {
			return
		}
		c.leave(result)
	})
}

// told is a message of the queue to the call, in order.
func (c *mcall) told(f func()) {
	w := c.w
	at := w.now.Add(w.lag())
	if at.Before(c.heard) {
		at = c.heard
	}
	c.heard = at
	w.at(at.Sub(w.now), f)
}

func (c *mcall) ring(o Offer) {
	w := c.w
	if c.over || c.talks != "" {
		return
	}
	for _, m := range o.Members {
		key := m.Destination
		p := w.people[key]
		w.rung++
		if p.rings != nil || p.talks != nil {
			w.t.Fatalf("%s is rung for a second caller", key)
		}
		if p.away || p.others || w.r.IntN(20) == 0 { // busy, or a fault
			c.tells(func(now time.Time) { c.l.refused(now, c.e, key) })
			continue
		}
		p.rings = c
		c.rings[key] = m
		w.at(w.reaction(o.Timeout), func() { c.reacts(key) })
	}
}

// reaction is after how long a phone does something.
func (w *world) reaction(timeout time.Duration) time.Duration {
	if w.calm {
		return time.Second
	}
	return min(timeout, time.Duration(w.r.IntN(20_000))*time.Millisecond)
}

func (c *mcall) reacts(key string) {
	w := c.w
	if _, rings := c.rings[key]; !rings {
		return
	}
	switch n := w.r.IntN(10); {
	case w.calm || n < 5:
		c.tells(func(now time.Time) { c.l.picked(now, c.e, key) })
		if n < 2 {
			w.at(time.Duration(w.r.IntN(3000))*time.Millisecond, func() { c.accept(key) })
			return
		}
		c.accept(key)
	default:
		c.stop(key)
		c.tells(func(now time.Time) { c.l.refused(now, c.e, key) })
	}
}

func (c *mcall) accept(key string) {
	w := c.w
	if _, rings := c.rings[key]; !rings || c.over || c.talks != "" {
		return
	}
	for other := range c.rings {
		c.stop(other)
	}
	c.talks = key
	w.people[key].talks = c
	w.bridged++
	c.tells(func(now time.Time) { c.l.accepted(now, c.e, key) })
	w.at(time.Duration(1+w.r.IntN(60))*time.Second, c.part)
}

// stop ends that a phone rings for the call.
func (c *mcall) stop(key string) {
	delete(c.rings, key)
	if p := c.w.people[key]; p.rings == c {
		p.rings = nil
	}
}

// part: one of the two has hung up.
func (c *mcall) part() {
	if c.talks == "" {
		return
	}
	key := c.talks
	c.talks, c.over = "", true
	c.w.people[key].talks = nil
	c.tells(func(now time.Time) { c.l.over(now, c.e, key) })
}

func (c *mcall) leave(result string) {
	for key := range c.rings {
		c.stop(key)
	}
	c.over = true
	if result == Abandoned {
		c.w.gone[c.number] = c.l.id
	}
	c.tells(func(now time.Time) { c.l.leave(now, c.e, result) })
}

// input gives a line something, carries out what comes of it, and looks.
func (w *world) input(l *line, f func(now time.Time)) {
	if !slices.Contains(w.lines, l) { // of before a restart
		return
	}
	w.before = l.picture(w.now)
	f(w.now)
	w.carry(l)
}

func (w *world) carry(l *line) {
	for len(l.orders) > 0 {
		orders := l.orders
		l.orders = nil
		for _, o := range orders {
			o()
		}
	}
	l.facts = nil
	w.check()
	at := l.wake(w.now)
	if next := w.wakes[l]; at.IsZero() || !next.IsZero() && !at.Before(next) {
		return
	}
	w.wakes[l] = at
	w.at(max(at.Sub(w.now), 0), func() {
		if w.wakes[l].Equal(at) {
			delete(w.wakes, l)
			w.input(l, l.settle)
		}
	})
}

// step does what comes next.
func (w *world) step() {
	w.steps++
	h := heap.Pop(&w.agenda).(happening)
	if h.at.After(w.now) {
		w.now = h.at
	}
	h.do()
	w.check()
}

// wind lets everything come to its end: nobody new comes, everybody answers.
func (w *world) wind() {
	w.calm = true
	for _, p := range w.people {
		p.away, p.others = false, false
	}
	for _, key := range w.keys {
		w.roster.Freed(key)
	}
	yes, no := true, false
	for _, l := range w.lines {
		for _, m := range l.members {
			w.input(l, func(now time.Time) { l.change(now, m, Change{LoggedIn: &yes, Paused: &no}) })
		}
	}
	until := w.now.Add(24 * time.Hour)
	for len(w.agenda) > 0 && w.now.Before(until) {
		w.step()
	}
	for _, l := range w.lines {
		if len(l.entries) > 0 {
			w.t.Fatalf("%s: %d callers were never dealt with, the first is %s: %+v", l.id, len(l.entries), l.entries[0].state, l.members)
		}
		for _, m := range l.members {
			if m.state != memberIdle || m.held {
				w.t.Fatalf("%s: %s is %s, held %v, when all is over", l.id, m.Destination, m.state, m.held)
			}
		}
		if s := l.stats; s.Offered < s.Answered+s.Abandoned+s.TimedOut+s.Full+s.Exited+s.Transferred {
			w.t.Fatalf("%s: %+v", l.id, s)
		}
	}
	if len(w.roster.taken) > 0 {
		w.t.Fatalf("the roster still has %v", w.roster.taken)
	}
}

type happening struct {
	at time.Time
	n  int
	do func()
}

type agenda []happening

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at.Before(a[j].at) || a[i].at.Equal(a[j].at) && a[i].n < a[j].n
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(happening)) }
func (a *agenda) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}

func number(n int) string { return fmt.Sprintf("+1415555%04d", n) }
