package flows

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// explorer follows the ways of calls. It is the walk once more, but where the
// walk asks its Caller the explorer takes every answer, and what comes of a
// destination is a set.
type explorer struct {
	plan   *Plan
	flows  []*flowPlan
	held   map[*flowPlan][]bool // which conditions hold in the present world
	known  map[string][]reach   // by state, in the present world
	open   map[string]int       // states being looked at, with how deep they lie
	lowest int                  // the outermost open state that the present one leads back to
	states int
	work   int
	cut    string
	ends   map[string]*reach
	circle *trail
}

// may counts work, and says whether the bound is not reached yet.
func (x *explorer) may(work int) bool {
	if x.work += work; x.work <= mostWork && x.states <= mostStates {
		return true
	}
	x.cut = cmp.Or(x.cut, fmt.Sprintf("the flow has more than %d states, or takes too long to look at", mostStates))
	return false
}

// spot is where in a flow a call is: all that decides how it goes on, but for
// the count of destinations, which only ends calls that go round.
type spot struct {
	f        *flowPlan
	visits   []*menuPlan
	left     string // ids of the menus it has been in
	handOver int
	webhooks int
}

func (s spot) key() string {
	var b strings.Builder
	b.WriteString(s.f.flow.ID + "|")
	for _, m := range s.visits {
		b.WriteString(m.menu.ID + ",")
	}
	b.WriteString("|" + s.left + "|")
	b.WriteByte('0' + byte(s.handOver))
	b.WriteByte('0' + byte(s.webhooks))
	return b.String()
}

// leave adds a menu to those that the caller has been in.
func leave(left, id string) string {
	ids := strings.Fields(left)
	if !slices.Contains(ids, id) {
		ids = append(ids, id)
		slices.Sort(ids)
	}
	return strings.Join(ids, " ")
}

type reachKind int

const (
	reachEnded  reachKind = iota // the flow is done
	reachFailed                  // the fallback, or the next rule
	reachAgain                   // back to a menu that is being presented
)

// reach is one thing that can come of a destination, by the longest way.
type reach struct {
	kind    reachKind
	end, to string    // of what ended
	menu    *menuPlan // of again
	left    string    // of what goes on
	seconds float64
	tried   int
	trail   *trail
	world   *world
}

// add puts r among others; of two that differ in their way only, the longer one
// stays.
func add(list []reach, r reach) []reach {
	for i := range list {
		o := &list[i]
		if o.kind != r.kind || o.end != r.end || o.to != r.to || o.menu != r.menu || r.kind != reachEnded && o.left != r.left {
			continue
		}
		if r.seconds > o.seconds {
			*o = r
		}
		return list
	}
	return append(list, r)
}

// after is r, reached by way of another.
func (r reach) after(before reach) reach {
	r.seconds += before.seconds
	r.tried += before.tried
	r.trail = join2(before.trail, r.trail)
	return r
}

// leaf is one step of a way.
type leaf struct {
	text   string
	script []string // what the caller presses
	to     string   // a destination, and what comes of it
	result Result
}

// trail is a sequence of steps; parts of it are shared.
type trail struct {
	leaf leaf
	a, b *trail
}

func step(l leaf) *trail { return &trail{leaf: l} }

func join2(a, b *trail) *trail {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return &trail{a: a, b: b}
}

// mostSteps of a way are told: one that goes round has any number of them.
const mostSteps = 400

// leaves are the steps in order.
func (t *trail) leaves(list []leaf) []leaf {
	switch {
	case t == nil || len(list) == mostSteps:
		return list
	case t.a != nil:
		return t.b.leaves(t.a.leaves(list))
	}
	return append(list, t.leaf)
}

func (t *trail) steps() (list []string) {
	for _, l := range t.leaves(nil) {
		list = append(list, l.text)
	}
	return list
}

// How long things take, about.
const (
	lettersASecond = 15
	answering      = 4 * time.Second
	pressing       = 300 * time.Millisecond
	askingWebhook  = 5 * time.Second
)

// spoken is how long texts take.
func spoken(texts ...string) float64 {
	n := 0
	for _, t := range texts {
		n += len(t)
	}
	return float64(n) / lettersASecond
}
