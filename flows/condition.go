package flows

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Verdict is what a condition found, in words and with its operands.
type Verdict struct {
	Condition string
	Holds     bool
	Text      string
	Detail    map[string]any
}

// condition is one compiled condition of a rule.
type condition interface {
	holds(d *decision) bool
	check(c Call, at time.Time) Verdict // the same, with why
}

// compileConditions compiles the conditions of a rule that Validate found good.
func compileConditions(c *Conditions, calendars map[string]*calendarPlan) []condition {
	list, _ := checkConditions(c)
	for i := range list {
		if asks, ok := list[i].(calendarCondition); ok {
			asks.plan = calendars[asks.id]
			list[i] = asks
		}
	}
	return list
}

// checkConditions compiles the conditions of a rule and tells what is wrong.
func checkConditions(c *Conditions) ([]condition, Problems) {
	var problems Problems
	var list []condition
	if c == nil {
		return nil, nil
	}
	if c.TimeRange != nil {
		var found Problems
		list = append(list, compileTimeRange(c.TimeRange, &found))
		problems = append(problems, found.Under("time_range")...)
	}
	if c.Calendar != "" {
		problems.checkID("calendar", c.Calendar)
		list = append(list, calendarCondition{id: c.Calendar, wanted: cmp.Or(c.CalendarState, CalendarOpen)})
	} else if c.CalendarState != "" {
		problems.add("calendar_state", "calendar_state says in which state a calendar is to be, but no calendar is named; add calendar")
	}
	problems.checkOneOf("calendar_state", c.CalendarState, "", CalendarOpen, CalendarClosed)
	if c.BlockedNumbers != nil {
		list = append(list, compileScreen("blocked_numbers", c.BlockedNumbers, &problems))
	}
	if c.AllowedNumbers != nil {
		list = append(list, compileScreen("allowed_numbers", c.AllowedNumbers, &problems))
	}
	if c.Anonymous != nil {
		list = append(list, anonymity(*c.Anonymous))
	}
	if c.Verstat != nil {
		list = append(list, compileVouched(c.Verstat, &problems))
	}
	return list, problems
}

// screen holds when the caller is in its list. Both lists of conditions select
// callers: what happens to them is up to the rule.
type screen struct {
	name     string
	exact    map[string]int // number: its place in the list
	prefixes []prefix
	starts   map[string]bool // of the prefixes
	lengths  uint16          // that starts have, a bit each
	size     int
}

type prefix struct {
	digits string
	place  int
}

func compileScreen(name string, entries []string, problems *Problems) *screen {
	s := &screen{name: name, exact: make(map[string]int, len(entries)), starts: map[string]bool{}, size: len(entries)}
	for i, entry := range entries {
		if start, ok := strings.CutSuffix(entry, "*"); ok && isPrefix(start) {
			s.prefixes = append(s.prefixes, prefix{start, i})
			s.starts[start] = true
			s.lengths |= 1 << len(start)
			continue
		}
		if _, err := ParseNumber(entry); err != nil {
			problems.addNumber(fmt.Sprintf("%s[%d]", name, i), "%s, or a prefix such as +1415*", err)
			continue
		}
		if _, twice := s.exact[entry]; !twice {
			s.exact[entry] = i
		}
	}
	return s
}

// isPrefix says whether text is a + and 1 to 14 digits.
func isPrefix(text string) bool {
	return len(text) >= 2 && len(text) <= 15 && text[0] == '+' && text[1] != '0' && onlyDigits(text[1:])
}

func (s *screen) holds(d *decision) bool {
	if d.caller == "" {
		return false
	}
	if _, ok := s.exact[d.caller]; ok {
		return true
	}
	for n := 2; n <= len(d.caller) && s.lengths>>n != 0; n++ {
		if s.lengths&(1<<n) != 0 && s.starts[d.caller[:n]] {
			return true
		}
	}
	return false
}

func (s *screen) check(c Call, _ time.Time) Verdict {
	v := Verdict{Condition: s.name, Detail: map[string]any{"from": c.From, "entries": s.size}}
	caller := callerNumber(&c)
	if caller == "" {
		v.Text = fmt.Sprintf("the caller's number is not known, so it is not one of the %s", count(s.size, "entry", "entries"))
		return v
	}
	if place, ok := s.exact[caller]; ok {
		v.Holds = true
		v.Detail["entry"], v.Detail["matched"] = place, caller
		v.Text = fmt.Sprintf("the caller %s is entry %d of %d", caller, place+1, s.size)
		return v
	}
	for _, p := range s.prefixes {
		if strings.HasPrefix(caller, p.digits) {
			v.Holds = true
			v.Detail["entry"], v.Detail["matched"] = p.place, p.digits+"*"
			v.Text = fmt.Sprintf("the caller %s begins with %s, entry %d of %d", caller, p.digits, p.place+1, s.size)
			return v
		}
	}
	v.Text = fmt.Sprintf("the caller %s is none of the %s", caller, count(s.size, "entry", "entries"))
	return v
}

// callerNumber is the caller's number as the lists write numbers, or "".
func callerNumber(c *Call) string {
	from := c.From
	if c.withheld() {
		return ""
	}
	if from[0] != '+' && onlyDigits(from) {
		return "+" + from
	}
	return from
}

// withheld says whether the caller is anonymous (RFC 3323 section 4.1.1.3), or
// gave no number at all.
func (c *Call) withheld() bool {
	return c.Anonymous || c.From == "" || strings.EqualFold(c.From, "anonymous")
}

// anonymity holds when the caller withheld the number, or did not.
type anonymity bool

func (a anonymity) holds(d *decision) bool { return d.call.withheld() == bool(a) }

func (a anonymity) check(c Call, _ time.Time) Verdict {
	withheld := c.withheld()
	v := Verdict{
		Condition: "anonymous", Holds: withheld == bool(a), Text: "the caller shows a number",
		Detail: map[string]any{"wanted": bool(a), "anonymous": withheld},
	}
	if withheld {
		v.Text = "the caller withheld the number"
	}
	return v
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
