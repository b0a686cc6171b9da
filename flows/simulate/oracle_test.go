package simulate_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"b2bua/flows"
	"b2bua/flows/simulate"
)

var oracleFlows = flag.Int("oracle-flows", 100_000, "how many random flows are compared with the oracle")

// oracle decides slowly and in another way: patterns are regular expressions,
// hours are compared as text, and the keys of a menu are tried one by one.
type oracle struct {
	flow *flows.CallFlow
	menu *flows.IVRMenu
	at   time.Time
	from string

	verstat string
}

func (o oracle) holds(c *flows.Conditions) bool {
	if c == nil {
		return true
	}
	if r := c.TimeRange; r != nil {
		zone, err := time.LoadLocation(r.Timezone)
		if err != nil {
			return false
		}
		on := func(at time.Time) bool {
			return r.Days == nil || slices.Contains(r.Days, strings.ToUpper(at.Format("Mon")))
		}
		local := o.at.In(zone)
		clock := local.Format("15:04")
		before := time.Date(local.Year(), local.Month(), local.Day()-1, 12, 0, 0, 0, time.UTC)
		inside := on(local) && clock >= r.Start && clock < r.End
		if r.End < r.Start {
			inside = on(local) && clock >= r.Start || on(before) && clock < r.End
		}
		if !inside {
			return false
		}
	}
	for _, list := range [][]string{c.BlockedNumbers, c.AllowedNumbers} {
		if list != nil && (o.from == "anonymous" || !slices.ContainsFunc(list, func(e string) bool {
			return e == o.from || strings.HasSuffix(e, "*") && strings.HasPrefix(o.from, strings.TrimSuffix(e, "*"))
		})) {
			return false
		}
	}
	if c.Verstat != nil && !slices.Contains(c.Verstat, o.verstat) {
		return false
	}
	if c.Calendar != "" && (c.CalendarState != flows.CalendarClosed) != shopOpen(o.at) {
		return false
	}
	return c.Anonymous == nil || *c.Anonymous == (o.from == "anonymous")
}

// shopCalendar is open from 8 to 18, but not on Sundays, on the last Monday of May,
// at Christmas and on one day of 2026; on the 24th of December until noon.
func shopCalendar() *flows.Calendar {
	return &flows.Calendar{ID: "shop", Name: "shop", Timezone: "America/New_York",
		Hours: []flows.CalendarHours{{Days: []string{"MON", "TUE", "WED", "THU", "FRI", "SAT"}, Start: "08:00", End: "18:00"}},
		Dates: []flows.CalendarDate{{Name: "a", Date: "12-25", Closed: true}, {Name: "b", Nth: -1, Weekday: "MON", Month: 5, Closed: true},
			{Name: "c", Date: "2026-07-03", Closed: true}, {Name: "d", Date: "12-24", Hours: []flows.DayHours{{Start: "08:00", End: "12:00"}}}}}
}

// shopOpen is the same, said in another way.
func shopOpen(at time.Time) bool {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		return false
	}
	local := at.In(zone)
	clock, day := local.Format("15:04"), local.Format("01-02")
	switch {
	case day == "12-25", local.Format(time.DateOnly) == "2026-07-03", local.Weekday() == time.Sunday && day != "12-24":
		return false
	case local.Weekday() == time.Monday && local.Month() == time.May && local.Day() > 24:
		return false
	case day == "12-24":
		return clock >= "08:00" && clock < "12:00"
	}
	return clock >= "08:00" && clock < "18:00"
}

var expressions = map[string]*regexp.Regexp{}

// expression is a pattern as a regular expression.
func expression(pattern string) *regexp.Regexp {
	if known := expressions[pattern]; known != nil {
		return known
	}
	expressions[pattern] = regexp.MustCompile("^" + strings.NewReplacer("X", "[0-9]", `\*`, `\*`, "*", `\*`).Replace(pattern) + "$")
	return expressions[pattern]
}

// patternsInPlay are those that digits can match: the options, then the rules
// that hold.
func (o oracle) patternsInPlay() (list []string) {
	for _, opt := range o.menu.Options {
		list = append(list, opt.Digit)
	}
	for _, r := range o.flow.Routing {
		if r.Pattern != "*" && o.holds(r.Conditions) {
			list = append(list, r.Pattern)
		}
	}
	return list
}

// read takes keys as a menu with one attempt does: it goes on while something
// longer could still match, which is tried out.
func (o oracle) read(keys string) (digits string, ok bool) {
	list := o.patternsInPlay()
	matches := func(digits string) bool {
		return slices.ContainsFunc(list, func(p string) bool { return expression(p).MatchString(digits) })
	}
	var longer func(digits string, depth int) bool
	longer = func(digits string, depth int) bool {
		if depth == 0 {
			return false
		}
		return slices.ContainsFunc(strings.Split("0123", ""), func(k string) bool { return matches(digits+k) || longer(digits+k, depth-1) })
	}
	for i := range keys {
		digits = keys[:i+1]
		if !longer(digits, 2) {
			return digits, matches(digits)
		}
	}
	return digits, matches(digits)
}

// goes is where the call is sent first, and after digits.
func (o oracle) goes(keys string) (way []string) {
	for _, r := range o.flow.Routing {
		if r.Pattern != "*" || !o.holds(r.Conditions) {
			continue
		}
		way = append(way, r.Destination)
		if r.DestinationType != flows.ToMenu {
			return way
		}
		digits, ok := o.read(keys)
		if !ok {
			return append(way, "silent")
		}
		for _, opt := range o.menu.Options {
			if expression(opt.Digit).MatchString(digits) {
				return append(way, opt.Destination)
			}
		}
		for _, rule := range o.flow.Routing {
			if rule.Pattern != "*" && expression(rule.Pattern).MatchString(digits) && o.holds(rule.Conditions) {
				return append(way, rule.Destination)
			}
		}
	}
	return way
}

// draw makes a flow with a menu, whose destinations all take the call.
func draw(r *rand.Rand) (*flows.CallFlow, *flows.IVRMenu) {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	key := func() string {
		text := ""
		for range 1 + r.IntN(3) {
			text += pick("0", "1", "2", "3", "X", "[01]", "[1-3]")
		}
		return text
	}
	f := &flows.CallFlow{ID: "cf", Name: "cf", Active: true}
	clock := func() string { return fmt.Sprintf("%02d:%02d", r.IntN(24), r.IntN(60)) }
	for i := range 1 + r.IntN(7) {
		rule := flows.Rule{Pattern: "*", Destination: fmt.Sprintf("rule_%d", i), DestinationType: flows.ToHangup}
		if r.IntN(2) == 0 {
			rule.Pattern = key()
		} else if r.IntN(2) == 0 {
			rule.Destination, rule.DestinationType = "m", flows.ToMenu
		}
		if r.IntN(2) == 0 {
			c := &flows.Conditions{}
			if t := (&flows.TimeRange{Start: clock(), End: clock(), Timezone: pick("UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")}); r.IntN(2) == 0 && t.Start != t.End {
				if r.IntN(2) == 0 {
					t.Days = []string{"SAT", "SUN", pick("MON", "TUE", "WED")}
				}
				c.TimeRange = t
			}
			if r.IntN(4) == 0 {
				c.BlockedNumbers = []string{pick("+1415*", "+14155550100", "+49301234567")}
			}
			if r.IntN(4) == 0 {
				shown := r.IntN(2) == 0
				c.Anonymous = &shown
			}
			if r.IntN(4) == 0 {
				c.AllowedNumbers = []string{pick("+4930*", "+14155550100", "+1*"), "+331*"}
			}
			if r.IntN(6) == 0 {
				c.Verstat = [][]string{{"passed"}, {"failed", "none"}, {"none"}}[r.IntN(3)]
			}
			if r.IntN(4) == 0 {
				c.Calendar, c.CalendarState = "shop", pick("", flows.CalendarOpen, flows.CalendarClosed)
			}
			rule.Conditions = c
		}
		f.Routing = append(f.Routing, rule)
	}
	m := &flows.IVRMenu{ID: "m", Name: "m", Prompt: "x", MaxAttempts: 1, Fallback: &flows.Fallback{Action: flows.ToHangup, ActionID: "silent"}}
	seen := map[string]bool{}
	for i := range r.IntN(4) {
		if k := key(); !seen[k] {
			seen[k] = true
			m.Options = append(m.Options, flows.Option{Digit: k, Destination: fmt.Sprintf("option_%d", i), DestinationType: flows.ToHangup})
		}
	}
	m.ApplyDefaults()
	return f, m
}

// "An independent slow oracle agrees on 100,000 random flows, instants and
// digits."
func TestRulesAgreeWithOracleOnRandomFlows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pressed, shop := 0, shopCalendar()
	for n := range *oracleFlows {
		f, m := draw(r)
		plan, problems := flows.NewPlan(flows.Nouns{Flows: []*flows.CallFlow{f}, Menus: []*flows.IVRMenu{m}, Calendars: []*flows.Calendar{shop}})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		at := time.Date(2026, 1, 1, 0, 0, r.IntN(366*24*3600), 0, time.UTC)
		from := []string{"+14155550100", "+49301234567", "+33123456789", "anonymous"}[r.IntN(4)]
		keys := ""
		for range r.IntN(4) {
			keys += string("0123"[r.IntN(4)])
		}
		verstat := []string{"passed", "failed", "none"}[r.IntN(3)]
		want := oracle{f, m, at, from, verstat}.goes(keys)
		got := simulate.Run(t.Context(), plan, f, flows.Given{From: from, At: at, Digits: keys, Verstat: verstat}, at, nil)
		var way []string
		for _, taken := range got.Taken {
			way = append(way, taken.Destination)
		}
		if !slices.Equal(way, want) {
			t.Fatalf("flow %d: %v, the oracle says %v\n%+v\n%+v\nat %s from %s keys %q\n%+v", n, way, want, f.Routing, m.Options, at, from, keys, got.Steps)
		}
		if len(way) > 1 {
			pressed++
		}
	}
	t.Logf("%d flows agree, %d calls of them through a menu", *oracleFlows, pressed)
}
