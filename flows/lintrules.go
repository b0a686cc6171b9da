package flows

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rules looks at which rules calls can come to.
func (l *lint) rules(f *flowPlan) {
	worlds, zone := l.plan.worlds(f)
	fails, patterns := make([]bool, len(f.rules)), make([]pattern, len(f.rules))
	for i, r := range f.flow.Routing {
		fails[i] = l.ruleFails(r)
		patterns[i], _ = compileRule(r.Pattern)
	}
	for i := range f.rules {
		if f.rules[i].catchAll {
			l.arrival(f, worlds, fails, i)
		} else {
			l.pressed(f, worlds, fails, patterns, i)
		}
	}
	l.gaps(f, zone)
}

// arrival looks at a rule that takes part when a call comes in: whether it ever
// holds, whether a call ever comes to it, and what is behind it when its
// destination fails.
func (l *lint) arrival(f *flowPlan, worlds []world, fails []bool, i int) {
	holds, reached, bare := false, false, false
	blocker := 0
	sure := func(w world, j int) bool { return f.rules[j].catchAll && w.held[j] && !fails[j] }
	for _, w := range worlds {
		if !w.held[i] {
			continue
		}
		holds = true
		before := -1
		for j := range i {
			if sure(w, j) {
				before = j
				break
			}
		}
		if before >= 0 {
			blocker = before
			continue
		}
		reached = true
		behind := false
		for j := i + 1; j < len(f.rules); j++ {
			behind = behind || sure(w, j)
		}
		bare = bare || !behind
	}
	r := f.flow.Routing[i]
	switch {
	case !holds:
		l.neverHolds(f, i)
	case !reached:
		l.add(fmt.Sprintf("routing[%d]", i), "shadowed", "move it before that rule, narrow that rule's conditions, or take one of the two away",
			"no call comes to this rule: whenever it holds, rule %d (%s) holds before it and always takes the call", blocker, destinationWords(f.flow.Routing[blocker].DestinationType, f.flow.Routing[blocker].Destination))
	case bare && fails[i] && !l.net(r) && l.exists(r.DestinationType, r.Destination):
		l.add(at("routing", i, "fallback"), "no_fallback", `add "fallback": {"action": "voicemail", "action_id": "voicemail_default"}, or a rule behind it that takes any call`,
			"%s can fail, and nothing is there to take the call then: the caller hears an apology or a SIP error", destinationWords(r.DestinationType, r.Destination))
	}
}

// neverHolds tells of conditions that no call meets, unless a missing calendar
// has been told of already.
func (l *lint) neverHolds(f *flowPlan, i int) {
	if c := f.flow.Routing[i].Conditions; c.Calendar == "" || l.plan.calendars[c.Calendar] != nil {
		l.add(at("routing", i, "conditions"), "never_holds", "take one of the conditions away, or write two rules: all conditions of a rule must hold together",
			"the conditions of this rule never hold together, so no call comes to it")
	}
}

// pressed looks at a rule that waits for digits.
func (l *lint) pressed(f *flowPlan, worlds []world, fails []bool, patterns []pattern, i int) {
	p := patterns[i]
	holds, reached := false, false
	var blockers []string
	for _, w := range worlds {
		if !w.held[i] {
			continue
		}
		holds = true
		var before []pattern
		var names []string
		for j := range i {
			if !f.rules[j].catchAll && w.held[j] && !fails[j] && meet(p, patterns[j]) {
				before = append(before, patterns[j])
				names = append(names, strconv.Itoa(j))
			}
		}
		if !covered(p, before) {
			reached = true
			break
		}
		blockers = names
	}
	switch {
	case !holds:
		l.neverHolds(f, i)
	case !reached:
		l.add(at("routing", i, "pattern"), "shadowed", "move it before them, or take it away",
			"no digits come to this rule: what %s matches is taken by rules before it (%s)", f.flow.Routing[i].Pattern, strings.Join(blockers, ", "))
	default:
		l.behindMenus(f, i, p)
	}
}

// behindMenus looks whether any menu of the flow lets the digits of a rule
// through.
func (l *lint) behindMenus(f *flowPlan, i int, p pattern) {
	menus := l.plan.presents(f)
	if len(menus) == 0 {
		return
	}
	why := ""
	for _, m := range menus {
		var options []pattern
		for _, o := range m.menu.Options {
			if q, err := compileOption(o.Digit); err == nil && !l.canFail(o.DestinationType, o.Destination) {
				options = append(options, q)
			}
		}
		switch {
		case covered(p, options):
			why = fmt.Sprintf("the options of menu %s match the same and come first", m.menu.ID)
		case !typable(m.menu, p):
			why = fmt.Sprintf("menu %s does not take these digits (valid_digits %q, min_digits %d)", m.menu.ID, m.menu.ValidDigits, m.menu.MinDigits)
		default:
			return
		}
	}
	l.add(at("routing", i, "pattern"), "shadowed_by_menu", "use other keys here, or change the menu", "no digits come to this rule: %s", why)
}

// typable says whether a menu accepts the keys of a pattern.
func typable(m *IVRMenu, p pattern) bool {
	if len(p.at) < m.MinDigits {
		return false
	}
	return m.ValidDigits == "" || !slices.ContainsFunc(p.at, func(k keys) bool { return k&keysOf(m.ValidDigits) == 0 })
}

func keysOf(text string) (set keys) {
	for i := range len(text) {
		key, _ := keyOf(text[i])
		set |= key
	}
	return set
}

// gaps looks for times and callers that no rule takes.
func (l *lint) gaps(f *flowPlan, zone *time.Location) {
	first := -1
	for i, r := range f.rules {
		if !r.catchAll {
			continue
		}
		if len(r.conditions) == 0 {
			return
		}
		if first < 0 {
			first = i
		}
	}
	if first < 0 {
		return // no_catch_all says it
	}
	arrival := &flowPlan{flow: f.flow}
	for _, r := range f.rules {
		if r.catchAll {
			arrival.rules = append(arrival.rules, r)
		}
	}
	for _, w := range l.worldsWithout(arrival) {
		l.add("routing", "gap", `add a last rule without conditions, such as {"pattern": "*", "destination": "voicemail_default", "destination_type": "voicemail"}`,
			"no rule takes a call %s, among others: it fails", gapWords(w, zone, f))
		return
	}
}

// worldsWithout are the worlds in which no rule holds.
func (l *lint) worldsWithout(f *flowPlan) (list []world) {
	worlds, _ := l.plan.worlds(f)
	for _, w := range worlds {
		if !slices.Contains(w.held, true) {
			list = append(list, w)
		}
	}
	return list
}

// gapWords is a world without rules in words.
func gapWords(w world, zone *time.Location, f *flowPlan) string {
	who := "from " + w.call.From
	if w.call.Anonymous {
		who = "whose number is withheld"
	}
	timed := slices.ContainsFunc(f.rules, func(r rulePlan) bool {
		return slices.ContainsFunc(r.conditions, func(c condition) bool {
			switch c.(type) {
			case *schedule, calendarCondition:
				return true
			}
			return false
		})
	})
	if !timed {
		return who
	}
	local := w.at.In(zone)
	return fmt.Sprintf("%s on a %s at %s (%s)", who, local.Weekday(), local.Format("15:04"), zone)
}
