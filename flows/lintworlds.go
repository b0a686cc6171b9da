package flows

import (
	"slices"
	"time"
)

// A world is one combination of rules whose conditions hold together, with an
// example of when and for whom. Conditions split time and callers into finitely
// many parts; looking at one moment and one caller of each part is looking at
// all of them.
type world struct {
	at   time.Time
	call Call
	held []bool // by rule
}

// The bounds of the search: flows beyond them are looked at in part.
const (
	mostTimes   = 3000
	mostCallers = 60
	mostChecks  = 60_000
)

// worlds are the combinations of rules of a flow. An override of a calendar is
// left out: it says nothing about the flow.
func (p *Plan) worlds(f *flowPlan) (list []world, zone *time.Location) {
	list, zone, _ = p.allWorlds(f)
	return list, zone
}

// allWorlds also tells whether the flow was within the bounds of the search.
func (p *Plan) allWorlds(f *flowPlan) (list []world, zone *time.Location, whole bool) {
	rules := make([][]condition, len(f.rules))
	checks := 1
	for i, r := range f.rules {
		rules[i] = slices.Clone(r.conditions)
		checks += len(r.conditions)
		for n, c := range rules[i] {
			if asks, ok := c.(calendarCondition); ok && asks.plan != nil {
				calm, plan := *asks.plan.calendar, *asks.plan
				calm.Override = ""
				plan.calendar = &calm
				asks.plan = &plan
				rules[i][n] = asks
			}
		}
	}
	callers, everybody := callerClasses(rules)
	times, zone := timeClasses(rules)
	most := min(mostTimes, max(1, mostChecks/checks/len(callers)))
	whole = everybody && len(times) <= most
	times = thin(times, most)
	seen := map[string]bool{}
	key := make([]byte, len(rules))
	var d decision
	for _, call := range callers {
		for _, at := range times {
			d.of(&call, at)
			held := make([]bool, len(rules))
			for i, conditions := range rules {
				held[i] = !slices.ContainsFunc(conditions, func(c condition) bool { return !c.holds(&d) })
				key[i] = '0'
				if held[i] {
					key[i] = '1'
				}
			}
			if !seen[string(key)] {
				seen[string(key)] = true
				list = append(list, world{at, call, held})
			}
		}
	}
	return list, zone, whole
}

func thin[T any](list []T, most int) []T {
	if len(list) <= most {
		return list
	}
	var fewer []T
	for i := range most {
		fewer = append(fewer, list[i*len(list)/most])
	}
	return fewer
}

// callerClasses are callers of every sort that the conditions tell apart: one in
// no list, one who withholds the number, and those in the lists.
func callerClasses(rules [][]condition) (list []Call, everybody bool) {
	var screens []*screen
	vouches := false
	for _, conditions := range rules {
		for _, c := range conditions {
			switch c := c.(type) {
			case *screen:
				screens = append(screens, c)
			case vouched:
				vouches = true
			}
		}
	}
	list = []Call{{From: stranger(screens)}, {From: "anonymous", Anonymous: true}}
	for _, s := range screens {
		for number := range s.exact {
			list = append(list, Call{From: number})
		}
		for _, p := range s.prefixes {
			list = append(list, Call{From: (p.digits + "0000000")[:max(8, len(p.digits))]})
		}
	}
	slices.SortFunc(list[2:], func(a, b Call) int { return cmpText(a.From, b.From) })
	list = slices.Compact(list)
	everybody = len(list) <= mostCallers
	list = thin(list, mostCallers)
	if vouches {
		for _, c := range slices.Clone(list) {
			for _, v := range []string{VerstatPassed, VerstatFailed} {
				c.Verstat = v
				list = append(list, c)
			}
		}
	}
	return list, everybody
}

func cmpText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// stranger is a number that is in none of the lists, if there is one.
func stranger(screens []*screen) string {
	for _, number := range []string{"+14155550100", "+4930123456", "+5511912345678", "+61212345678", "+79161234567", "+85212345678", "+911123456789", "+2712345678", "+3312345678"} {
		if !slices.ContainsFunc(screens, func(s *screen) bool { return s.holds(&decision{caller: number}) }) {
			return number
		}
	}
	return "+14155550100"
}

// timeClasses are the moments at which a condition can change: in a week of
// winter and one of summer, where zones differ also when clocks change, and
// around the dates of calendars.
func timeClasses(rules [][]condition) (times []time.Time, zone *time.Location) {
	monday := civil{2024, 1, 8}
	zones := map[*time.Location][]int{}
	var calendars []*calendarPlan
	note := func(z *time.Location, minutes ...int) {
		if zone == nil {
			zone = z
		}
		zones[z] = append(zones[z], minutes...)
	}
	for _, conditions := range rules {
		for _, c := range conditions {
			switch c := c.(type) {
			case *schedule:
				note(c.zone, 0, c.start, c.end)
			case calendarCondition:
				if c.plan != nil {
					note(c.plan.zone, c.plan.minutes...)
					calendars = append(calendars, c.plan)
				}
			}
		}
	}
	if zone == nil {
		return []time.Time{time.Date(2024, 1, 8, 12, 0, 0, 0, time.UTC)}, time.UTC
	}
	weeks := []civil{monday, {2024, 7, 8}}
	if len(zones) > 1 {
		weeks = append(weeks, civil{2024, 3, 9}, civil{2024, 3, 30}, civil{2024, 10, 26}, civil{2024, 11, 2})
	}
	for _, c := range calendars {
		weeks = append(weeks, c.specials()...)
	}
	for z, minutes := range zones {
		slices.Sort(minutes)
		minutes = slices.Compact(minutes)
		for n, begin := range weeks {
			days := 6
			if n > 1 {
				days = 2
			}
			times = append(times, edgesBetween(z, begin, days, minutes, nil)...)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return slices.CompactFunc(times, time.Time.Equal), zone
}

// specials are the days before special dates: those with a year, and those of a
// leap year.
func (p *calendarPlan) specials() []civil {
	var list []civil
	for day := range p.exact {
		list = append(list, day.add(-1))
	}
	for day := (civil{2024, 1, 1}); day.year == 2024 && len(p.recurring) > 0; day = day.add(1) {
		if p.date(day) != nil {
			list = append(list, day.add(-1))
		}
	}
	slices.SortFunc(list, func(a, b civil) int { return cmpText(a.String(), b.String()) })
	return list
}
