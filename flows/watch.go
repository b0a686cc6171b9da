package flows

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// watch is what a timeline looks at. It walks as a call does, but in every rule
// looks only at what can change, and finds words only for what has changed.
type watch struct {
	plan      *Plan
	call      Call
	zone      *time.Location // of the first condition
	zones     map[*time.Location][]int
	calendars map[string]*calendarPlan
	moments   []time.Time
	rules     map[*flowPlan][]watched
	screens   []*screen

	looked int                    // edges, marks and conditions so far
	hops   int                    // destinations on the way of the present call
	open   map[*calendarPlan]bool // at the present edge
}

// watched is a rule of a flow.
type watched struct {
	timed []condition // those of its conditions that time changes
	still []condition // the others
	held  *bool       // whether they hold; nil when nobody has asked yet
}

// whither is where calls go; rule is counted from one.
type whither struct {
	rule int
	to   string
	kind DestinationType
}

// reason is a step on the way: words, or the rule of a flow that holds.
type reason struct {
	text string
	in   *flowPlan // nil when there are words
	rule int
}

// collect notes the minutes at which the conditions of a flow, and of those it
// hands over to, can change.
func (w *watch) collect(f *flowPlan) {
	if w.rules[f] != nil {
		return
	}
	rules := make([]watched, len(f.rules))
	w.rules[f] = rules
	note := func(zone *time.Location, minutes ...int) {
		if w.zone == nil {
			w.zone = zone
		}
		w.zones[zone] = append(w.zones[zone], minutes...)
	}
	for i, r := range f.rules {
		if !r.catchAll {
			continue
		}
		for _, c := range r.conditions {
			timed := true
			switch c := c.(type) {
			case *schedule:
				note(c.zone, 0, c.start, c.end)
			case calendarCondition:
				if timed = c.plan != nil; timed && w.calendars[c.id] == nil {
					w.calendars[c.id] = c.plan
					note(c.plan.zone, c.plan.minutes...)
					w.moments = append(w.moments, c.plan.moments()...)
				}
			case *screen:
				w.screens = append(w.screens, c)
				timed = false
			default:
				timed = false
			}
			if timed {
				rules[i].timed = append(rules[i].timed, c)
			} else {
				rules[i].still = append(rules[i].still, c)
			}
		}
		rule := &f.flow.Routing[i]
		w.collectTo(rule.DestinationType, rule.Destination)
		if rule.Fallback != nil {
			w.collectTo(rule.Fallback.Action, rule.Fallback.ActionID)
		}
	}
}

func (w *watch) collectTo(kind DestinationType, to string) {
	if next := w.plan.flows[to]; next != nil && kind == ToFlow {
		w.collect(next)
	}
}

// count adds what a span asks for before any call is followed: edges, and marks.
func (w *watch) count(from, to time.Time) {
	days := int(to.Sub(from)/(24*time.Hour)) + 2
	for zone, minutes := range w.zones {
		slices.Sort(minutes)
		minutes = slices.Compact(minutes)
		w.zones[zone] = minutes
		w.looked += len(minutes)*days + len(w.moments)
	}
	w.looked += len(w.calendars) * days
}

// holds reports whether the conditions of a rule hold.
func (w *watch) holds(f *flowPlan, i int, at time.Time) bool {
	r := &w.rules[f][i]
	w.looked += 1 + len(r.timed)
	if r.held == nil {
		var d decision
		d.of(&w.call, at)
		held := !slices.ContainsFunc(r.still, func(c condition) bool { return !c.holds(&d) })
		r.held = &held
	}
	return *r.held && !slices.ContainsFunc(r.timed, func(c condition) bool {
		switch c := c.(type) {
		case *schedule:
			return !c.open(at)
		case calendarCondition:
			open, known := w.open[c.plan]
			if !known {
				open = c.plan.state(at).open
				w.open[c.plan] = open
			}
			return open != (c.wanted == CalendarOpen)
		}
		return true
	})
}

// flow is where a call to a flow goes at a moment, and why: the first rule that
// holds and leads somewhere (walk.flow).
func (w *watch) flow(f *flowPlan, at time.Time, depth int) (is whither, why []reason) {
	for i, r := range f.rules {
		if !r.catchAll || !w.holds(f, i, at) {
			continue
		}
		why = append(why, reason{in: f, rule: i})
		rule := &f.flow.Routing[i]
		there, because := w.pursue(rule.DestinationType, rule.Destination, at, depth)
		why = append(why, because...)
		if b := rule.Fallback; there.kind == "" && b != nil {
			why = append(why, reason{text: "the fallback is taken"})
			there, because = w.pursue(b.Action, b.ActionID, at, depth)
			why = append(why, because...)
		}
		if there.kind != "" {
			there.rule = i + 1
			return there, why
		}
		if w.hops > maxHops || w.looked > mostDecisions {
			break
		}
	}
	return whither{}, append(why, reason{text: "no rule holds"})
}

// pursue is where a destination leads: to itself, but for another flow, which may
// lead nowhere (walk.handTo).
func (w *watch) pursue(kind DestinationType, to string, at time.Time, depth int) (is whither, why []reason) {
	nowhere := func(text string) (whither, []reason) { return whither{}, []reason{{text: text}} }
	if w.hops++; w.hops > maxHops {
		return nowhere(fmt.Sprintf("the call has gone through %d destinations", maxHops))
	}
	if kind != ToFlow {
		return whither{to: to, kind: kind}, nil
	}
	next := w.plan.flows[to]
	switch {
	case next == nil:
		return nowhere("there is no call flow " + to)
	case !next.flow.Active:
		return nowhere("call flow " + to + " is not active")
	case depth == maxHandOver:
		return nowhere(fmt.Sprintf("the call was handed on %d times", maxHandOver))
	}
	is, why = w.flow(next, at, depth+1)
	return is, append([]reason{{text: "on to call flow " + to}}, why...)
}

// words are the reasons in words.
func (w *watch) words(why []reason, at time.Time) string {
	var all []string
	for _, r := range why {
		if r.in == nil {
			all = append(all, r.text)
			continue
		}
		all = append(all, fmt.Sprintf("rule %d takes any call", r.rule))
		for _, c := range r.in.rules[r.rule].conditions {
			v := c.check(w.call, at)
			all = append(all, v.Condition+" holds: "+v.Text)
		}
	}
	return strings.Join(all, "; ")
}

func (p whither) stretch(at time.Time, because string) Stretch {
	s := Stretch{From: at.UTC(), Destination: p.to, DestinationType: p.kind, Because: because}
	if p.rule > 0 {
		rule := p.rule - 1
		s.Rule = &rule
	}
	return s
}
