package flows

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// lint collects what is wrong with one flow or menu.
type lint struct {
	plan *Plan
	list []Warning
	sure map[string]bool // destinations looked at: whether they can fail
}

func newLint(p *Plan) *lint { return &lint{plan: p, sure: map[string]bool{}} }

func (l *lint) add(path, code, fix, format string, args ...any) {
	l.list = append(l.list, Warning{Path: path, Code: code, Message: fmt.Sprintf(format, args...), Fix: fix})
}

// Lint is Warnings of a flow, and those of the menus that it presents and of the
// queues that it leads to, whose paths begin with ivr_menus[id] and queues[id].
func (p *Plan) Lint(flowID string) []Warning {
	f := p.flows[flowID]
	if f == nil {
		return nil
	}
	list := slices.Clone(p.Warnings(KindFlow, flowID))
	circles := ""
	for _, m := range p.presents(f) {
		for _, w := range p.Warnings(KindMenu, m.menu.ID) {
			if w.Code == "loop" {
				if strings.Contains(circles, "IVR menu "+m.menu.ID) {
					continue // one circle is told once
				}
				circles += w.Message + " "
			}
			w.Path = "ivr_menus[" + m.menu.ID + "]." + w.Path
			list = append(list, w)
		}
	}
	for _, q := range p.queuesOf(f) {
		for _, w := range p.Warnings(KindQueue, q.ID) {
			w.Path = "queues[" + q.ID + "]." + w.Path
			list = append(list, w)
		}
	}
	return list
}

// presents are the menus that a caller can come to in a flow without leaving it.
func (p *Plan) presents(f *flowPlan) []*menuPlan {
	var found []*menuPlan
	var visit func(kind DestinationType, to string)
	visit = func(kind DestinationType, to string) {
		if q := p.queueAt(kind, to); q != nil && q.Overflow != nil && q.Overflow.Action == ToMenu {
			kind, to = ToMenu, q.Overflow.ActionID
		}
		m := p.menus[to]
		if kind != ToMenu || m == nil || slices.Contains(found, m) {
			return
		}
		found = append(found, m)
		for _, o := range m.menu.Options {
			visit(o.DestinationType, o.Destination)
		}
		if fb := m.menu.Fallback; fb != nil {
			visit(fb.Action, fb.ActionID)
		}
	}
	for _, r := range f.flow.Routing {
		visit(r.DestinationType, r.Destination)
		if r.Fallback != nil {
			visit(r.Fallback.Action, r.Fallback.ActionID)
		}
	}
	return found
}

// presenters are the flows that present each menu, found when a menu is looked at.
type presenters struct {
	once sync.Once
	of   map[*menuPlan][]*flowPlan
}

func (p *Plan) presentedBy(m *menuPlan) []*flowPlan {
	p.presenters.once.Do(func() {
		p.presenters.of = map[*menuPlan][]*flowPlan{}
		for _, f := range p.flows {
			for _, m := range p.presents(f) {
				p.presenters.of[m] = append(p.presenters.of[m], f)
			}
		}
	})
	return p.presenters.of[m]
}

// canFail says whether a call can come back from a destination without having
// been served, so that the fallback or the next rule is tried.
func (l *lint) canFail(kind DestinationType, to string) bool {
	key := string(kind) + " " + to
	if known, ok := l.sure[key]; ok {
		return known
	}
	l.sure[key] = true // of one that leads to itself
	fails := true
	switch kind {
	case ToHangup, ToReject, ToSay:
		fails = false
	case ToVoicemail, ToAccess:
		fails = !l.exists(kind, to)
	case ToMenu:
		if m := l.plan.menus[to]; m != nil && m.menu.Fallback != nil {
			fails = l.canFail(m.menu.Fallback.Action, m.menu.Fallback.ActionID)
		}
	case ToQueue, ToRingGroup:
		if q := l.plan.queues[to]; q != nil && q.Overflow != nil {
			fails = l.canFail(q.Overflow.Action, q.Overflow.ActionID)
		}
	case ToFlow:
		if f := l.plan.flows[to]; f != nil && f.flow.Active && !l.circular(f) {
			fails = !slices.ContainsFunc(f.flow.Routing, func(r Rule) bool {
				return r.Pattern == catchAllIs && len(compileConditions(r.Conditions, nil)) == 0 && !l.ruleFails(r)
			})
		}
	}
	l.sure[key] = fails
	return fails
}

// circular says whether a flow leads back to itself: that ends as a failure.
func (l *lint) circular(f *flowPlan) bool {
	return slices.ContainsFunc(f.places(true), func(d place) bool { return l.way(d, f, nil, map[any]bool{}) != "" })
}

// ruleFails says whether a rule can leave the call to the next one.
func (l *lint) ruleFails(r Rule) bool {
	return l.canFail(r.DestinationType, r.Destination) && (r.Fallback == nil || l.canFail(r.Fallback.Action, r.Fallback.ActionID))
}

// net says what a rule can fall into: nothing, or a fallback of its own or of
// the menu it leads to.
func (l *lint) net(r Rule) bool {
	if r.Fallback != nil {
		return true
	}
	m := l.plan.menus[r.Destination]
	return r.DestinationType == ToMenu && m != nil && m.menu.Fallback != nil
}

func at(list string, i int, field string) string {
	return list + "[" + strconv.Itoa(i) + "]." + field
}
