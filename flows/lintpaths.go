package flows

import (
	"fmt"
	"slices"
)

// place is a destination with where it stands.
type place struct {
	path string
	kind DestinationType
	to   string
}

// places are the destinations of a flow; those of an arrival are taken without
// the caller pressing anything.
func (f *flowPlan) places(arrival bool) (list []place) {
	for i, r := range f.flow.Routing {
		if arrival && !f.rules[i].catchAll {
			continue
		}
		list = append(list, place{at("routing", i, "destination"), r.DestinationType, r.Destination})
		if r.Fallback != nil {
			list = append(list, place{at("routing", i, "fallback.action_id"), r.Fallback.Action, r.Fallback.ActionID})
		}
	}
	return list
}

func (m *menuPlan) places() (list []place) {
	for i, o := range m.menu.Options {
		list = append(list, place{at("options", i, "destination"), o.DestinationType, o.Destination})
	}
	if fb := m.menu.Fallback; fb != nil {
		list = append(list, place{"fallback.action_id", fb.Action, fb.ActionID})
	}
	return list
}

// exists says whether a destination that names something of ours is there.
func (l *lint) exists(kind DestinationType, to string) bool {
	p := l.plan
	switch kind {
	case ToMenu:
		return p.menus[to] != nil
	case ToVoicemail:
		return p.boxes[to] != nil
	case ToAccess:
		return !named(to) || p.boxes[to] != nil
	case ToDevice:
		return p.devices[to] != nil || p.byUsername[to] != nil
	case ToFlow:
		return p.flows[to] != nil && p.flows[to].flow.Active
	case ToQueue, ToRingGroup:
		return p.queues[to] != nil
	}
	return true
}

// reachable looks at destinations that are there but cannot be reached.
func (l *lint) reachable(places []place) {
	out := slices.ContainsFunc(l.plan.trunks, func(t *Trunk) bool { return t.Outbound != nil })
	for _, d := range places {
		switch {
		case d.kind == ToFlow && l.plan.flows[d.to] != nil && !l.plan.flows[d.to].flow.Active:
			l.add(d.path, "destination_inactive", "activate that call flow, or choose another", "the call flow %q is not active, so calls go on to the fallback or the next rule", d.to)
		case d.kind == ToNumber && len(l.plan.trunks) > 0 && !out && l.plan.byNumber[d.to] == nil && l.leads(d) == nil:
			l.add(d.path, "undialable", "give a trunk its outbound", "%s cannot be dialled: no trunk takes calls out, and no device has the number", d.to)
		}
	}
}

// leads is the flow that a destination leads back into the switch to, or nil.
func (l *lint) leads(d place) *flowPlan {
	switch d.kind {
	case ToFlow:
		if f := l.plan.flows[d.to]; f != nil && f.flow.Active {
			return f
		}
	case ToNumber:
		if l.plan.byNumber[d.to] != nil {
			return nil
		}
		if f, _ := l.plan.Lookup(d.to); f != nil {
			return l.plan.flows[f.ID]
		}
	}
	return nil
}

// circles looks for ways that lead back without the caller pressing anything.
func (l *lint) circles(f *flowPlan) {
	for _, d := range f.places(false) {
		if d.kind == ToNumber && l.leads(d) == f {
			l.add(d.path, "dials_itself", "dial the number of a person or a device instead, or use call_flow", "%s is a number of this call flow, so the call comes back to it", d.to)
		}
	}
	for _, d := range f.places(true) {
		if d.kind == ToNumber && l.leads(d) == f {
			continue
		}
		if way := l.way(d, f, nil, map[any]bool{}); way != "" {
			l.add(d.path, "loop", "break the circle: send the last of them to voicemail, for example", "the call comes back to this call flow without anybody pressing a key: %s", way)
		}
	}
}

// way is how a destination leads to a flow or a menu without a key, "" when it
// does not.
func (l *lint) way(d place, f *flowPlan, m *menuPlan, seen map[any]bool) string {
	var next []place
	switch there := l.leads(d); {
	case m != nil && d.kind != ToMenu && d.kind != ToQueue && d.kind != ToRingGroup: // a circle through a flow is that flow's
	case there != nil && there == f:
		return destinationWords(d.kind, d.to)
	case there != nil && !seen[there]:
		seen[there] = true
		next = there.places(true)
	case d.kind == ToMenu && l.plan.menus[d.to] != nil:
		menu := l.plan.menus[d.to]
		if menu == m {
			return destinationWords(d.kind, d.to)
		}
		if seen[menu] || menu.menu.Fallback == nil {
			return ""
		}
		seen[menu] = true
		next = []place{{"", menu.menu.Fallback.Action, menu.menu.Fallback.ActionID}}
	case d.kind == ToQueue || d.kind == ToRingGroup:
		q := l.plan.queues[d.to]
		if q == nil || q.Overflow == nil || seen[q] {
			return ""
		}
		seen[q] = true
		next = []place{{"", q.Overflow.Action, q.Overflow.ActionID}}
	}
	for _, n := range next {
		if way := l.way(n, f, m, seen); way != "" {
			return fmt.Sprintf("%s, then %s", destinationWords(d.kind, d.to), way)
		}
	}
	return ""
}

// menuCircle looks whether a silent caller comes back to a menu.
func (l *lint) menuCircle(m *menuPlan) {
	fb := m.menu.Fallback
	if fb == nil {
		return
	}
	if way := l.way(place{"", fb.Action, fb.ActionID}, nil, m, map[any]bool{}); way != "" {
		l.add("fallback.action_id", "loop", "send the last of them to voicemail or hangup", "a caller who presses nothing goes round in circles: %s", way)
	}
}
