package flows

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func usOffice() *Calendar {
	return &Calendar{
		ID: "us-office", Name: "US office", Timezone: "America/New_York",
		Hours: []CalendarHours{{Days: []string{"MON", "TUE", "WED", "THU", "FRI"}, Start: "09:00", End: "17:00"}},
		Dates: []CalendarDate{
			{Name: "Thanksgiving", Nth: 4, Weekday: "THU", Month: 11, Closed: true},
			{Name: "the day after Thanksgiving", Nth: 4, Weekday: "THU", Month: 11, Offset: 1, Hours: []DayHours{{"10:00", "14:00"}}},
			{Name: "Memorial Day", Nth: -1, Weekday: "mon", Month: 5, Closed: true},
			{Name: "Christmas Day", Date: "12-25", Closed: true},
			{Name: "Christmas shopping", Date: "2026-12-25", Hours: []DayHours{{"10:00", "12:00"}}},
			{Name: "New Year's Eve", Date: "12-31", Hours: []DayHours{{"20:00", "02:00"}}},
			{Name: "New Year", Date: "01-01", Closed: true},
			{Name: "leap day", Date: "02-29", Closed: true},
		},
	}
}

func mustCalendar(t testing.TB, c *Calendar) *calendarPlan {
	t.Helper()
	p, problems := compileCalendar(c)
	if found := c.Validate(); len(found)+len(problems) > 0 {
		t.Fatalf("%v %v", found, problems)
	}
	return p
}

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// "The trace says it in words (…) and gives next_change_at."
func TestCalendarSaysItInWords(t *testing.T) {
	p := mustCalendar(t, usOffice())
	ask := calendarCondition{id: "us-office", wanted: CalendarOpen, plan: p}
	for _, c := range []struct{ at, says, next string }{
		{"2026-11-26T15:12:00Z", "closed: 2026-11-26 is Thanksgiving in calendar us-office, America/New_York, local 10:12", "2026-11-27T15:00:00Z"},
		{"2026-11-27T15:12:00Z", "open: 2026-11-27 is the day after Thanksgiving (10:00-14:00) in calendar us-office, America/New_York, local 10:12", "2026-11-27T19:00:00Z"},
		{"2026-11-25T15:12:00Z", "open: WED 2026-11-25 is within MON-FRI 09:00-17:00 in calendar us-office, America/New_York, local 10:12", "2026-11-25T22:00:00Z"},
		{"2026-11-28T15:12:00Z", "closed: SAT 2026-11-28 is outside the weekly hours in calendar us-office, America/New_York, local 10:12", "2026-11-30T14:00:00Z"},
	} {
		v := ask.check(Call{}, moment(t, c.at))
		if v.Text != c.says || v.Detail["next_change_at"] != c.next || v.Holds != strings.HasPrefix(c.says, "open") {
			t.Errorf("%s: %v %q %v", c.at, v.Holds, v.Text, v.Detail)
		}
	}
	over := usOffice()
	over.Override, over.Until = CalendarClosed, moment(t, "2026-11-25T18:00:00Z")
	ask.plan = mustCalendar(t, over)
	v := ask.check(Call{}, moment(t, "2026-11-25T15:12:00Z"))
	if want := "closed: overridden until 2026-11-25T18:00:00Z in calendar us-office, America/New_York, local 10:12"; v.Text != want || v.Detail["next_change_at"] != "2026-11-25T18:00:00Z" {
		t.Errorf("%q %v", v.Text, v.Detail)
	}
	ask.plan = nil
	if v := ask.check(Call{}, time.Now()); v.Holds || v.Text != "there is no calendar us-office" {
		t.Errorf("%+v", v)
	}
}

// "Precedence: override, exact date, weekly."
func TestCalendarPrecedence(t *testing.T) {
	for _, c := range []struct {
		what, override, until, at string
		open                      bool
		by                        string
	}{
		{"a working day", "", "", "2026-11-25T15:00:00Z", true, byWeek},
		{"its end is not part of it", "", "", "2026-11-25T22:00:00Z", false, byWeek},
		{"a date before the week", "", "", "2026-11-26T15:00:00Z", false, byDate},
		{"a date's own hours, open", "", "", "2026-11-27T15:00:00Z", true, byDate},
		{"a date's own hours, not the week's", "", "", "2026-11-27T14:30:00Z", false, byDate},
		{"the fourth Thursday of another year", "", "", "2025-11-27T15:00:00Z", false, byDate},
		{"not the third", "", "", "2025-11-20T15:00:00Z", true, byWeek},
		{"the last Monday", "", "", "2026-05-25T15:00:00Z", false, byDate},
		{"not the one before", "", "", "2026-05-18T15:00:00Z", true, byWeek},
		{"every year", "", "", "2025-12-25T15:30:00Z", false, byDate},
		{"a date with its year before one of every year", "", "", "2026-12-25T15:30:00Z", true, byDate},
		{"hours of a date go on over midnight", "", "", "2027-01-01T06:59:00Z", true, byDate},
		{"and end", "", "", "2027-01-01T07:00:00Z", false, byDate},
		{"a leap day", "", "", "2028-02-29T15:00:00Z", false, byDate},
		{"open on a holiday by override", CalendarOpen, "", "2026-11-26T15:00:00Z", true, byOverride},
		{"closed by override", CalendarClosed, "2026-11-25T15:00:01Z", "2026-11-25T15:00:00Z", false, byOverride},
		{"an override ends on the dot", CalendarClosed, "2026-11-25T15:00:00Z", "2026-11-25T15:00:00Z", true, byWeek},
	} {
		cal := usOffice()
		if cal.Override = c.override; c.until != "" {
			cal.Until = moment(t, c.until)
		}
		if s := mustCalendar(t, cal).state(moment(t, c.at)); s.open != c.open || s.by != c.by {
			t.Errorf("%s: %+v", c.what, s)
		}
	}
}

// Weekly hours of the night before do not reach into a day that is a date; the
// override is over both.
func TestCalendarNightBeforeAHoliday(t *testing.T) {
	night := &Calendar{
		ID: "night", Name: "night", Timezone: "UTC", Hours: []CalendarHours{{Start: "22:00", End: "06:00"}},
		Dates: []CalendarDate{{Name: "holiday", Date: "2026-05-01", Closed: true}},
	}
	p := mustCalendar(t, night)
	for at, open := range map[string]bool{
		"2026-04-30T05:00:00Z": true, "2026-04-30T23:00:00Z": true,
		"2026-05-01T05:00:00Z": false, "2026-05-01T23:00:00Z": false,
		"2026-05-02T05:00:00Z": false, "2026-05-02T22:00:00Z": true,
	} {
		if p.state(moment(t, at)).open != open {
			t.Errorf("%s: open is not %v", at, open)
		}
	}
}

func TestCalendarWithoutHoursIsOpenButForItsDates(t *testing.T) {
	c := &Calendar{ID: "holidays", Name: "holidays", Timezone: "Europe/Berlin", Dates: []CalendarDate{{Name: "Labour Day", Date: "05-01", Closed: true}}}
	p := mustCalendar(t, c)
	at := moment(t, "2026-04-01T00:00:00Z")
	next, ok := p.next(at)
	if !p.state(at).open || !ok || !next.Equal(moment(t, "2026-04-30T22:00:00Z")) {
		t.Errorf("%v %s", ok, next)
	}
	c.Dates = nil
	if _, ok := mustCalendar(t, c).next(at); ok {
		t.Error("a calendar that never changes has a next change")
	}
	c.Hours = []CalendarHours{}
	if mustCalendar(t, c).state(at).open {
		t.Error("an empty list of hours is open")
	}
}

func TestCalendarSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		change     func(*Calendar)
		path, says string
	}{
		{func(c *Calendar) { c.Timezone = "EST" }, "timezone", "America/New_York"},
		{func(c *Calendar) { c.Timezone = "" }, "timezone", "missing"},
		{func(c *Calendar) { c.Name = " " }, "name", "missing"},
		{func(c *Calendar) { c.ID = "a b" }, "calendar_id", "not an id"},
		{func(c *Calendar) { c.Override = "shut" }, "override", "open, closed"},
		{func(c *Calendar) { c.Hours[0].Start = "9" }, "hours[0].start", "09:00"},
		{func(c *Calendar) { c.Hours[0].End = "09:00" }, "hours[0].end", "no time at all"},
		{func(c *Calendar) { c.Hours[0].Days = []string{"XXX"} }, "hours[0].days[0]", "not a day"},
		{func(c *Calendar) { c.Dates[0].Name = "" }, "dates[0].name", "missing"},
		{func(c *Calendar) { c.Dates[0].Nth = 6 }, "dates[0].nth", "1 to 5"},
		{func(c *Calendar) { c.Dates[0].Month = 13 }, "dates[0].month", "not a month"},
		{func(c *Calendar) { c.Dates[0].Weekday = "THX" }, "dates[0].weekday", "not a day"},
		{func(c *Calendar) { c.Dates[0].Offset = 90 }, "dates[0].offset", "out of range"},
		{func(c *Calendar) { c.Dates[0].Date = "2026-11-26" }, "dates[0].date", "in one way"},
		{func(c *Calendar) { c.Dates[0] = CalendarDate{Name: "x", Closed: true} }, "dates[0].date", "in one way"},
		{func(c *Calendar) { c.Dates[0].Closed = false }, "dates[0].closed", "hours of its own"},
		{func(c *Calendar) { c.Dates[1].Closed = true }, "dates[1].closed", "hours of its own"},
		{func(c *Calendar) { c.Dates[1].Hours[0].End = "x" }, "dates[1].hours[0].end", "time of day"},
		{func(c *Calendar) { c.Dates[3].Date = "02-30" }, "dates[3].date", "not a date"},
		{func(c *Calendar) { c.Dates[3].Date = "2026-02-29" }, "dates[3].date", "not a date"},
		{func(c *Calendar) { c.Dates[3].Offset = 1 }, "dates[3].offset", "nth weekday"},
		{func(c *Calendar) { c.Dates = append(c.Dates, c.Dates[4]) }, "dates[8].date", "given twice"},
	} {
		cal := usOffice()
		c.change(cal)
		problems := cal.Validate()
		if len(problems) != 1 || problems[0].Path != c.path || !strings.Contains(problems[0].Message, c.says) {
			t.Errorf("got %v, want one at %s that says %q", problems, c.path, c.says)
		}
	}
}

func TestRuleConditionCalendar(t *testing.T) {
	f := &CallFlow{ID: "cf", Name: "cf", Active: true, Routing: []Rule{
		{Pattern: "*", Destination: "closed", DestinationType: ToHangup, Conditions: &Conditions{Calendar: "us-office", CalendarState: CalendarClosed}},
		{Pattern: "*", Destination: "open", DestinationType: ToHangup, Conditions: &Conditions{Calendar: "us-office"}},
		{Pattern: "*", Destination: "none", DestinationType: ToHangup, Conditions: &Conditions{Calendar: "nowhere"}},
	}}
	plan, problems := NewPlan(Nouns{Flows: []*CallFlow{f}, Calendars: []*Calendar{usOffice()}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for at, want := range map[string]string{"2026-11-26T15:12:00Z": "closed", "2026-11-25T15:12:00Z": "open"} {
		now := moment(t, at)
		i := slices.IndexFunc(plan.flows["cf"].rules, func(r rulePlan) bool { return r.conditions[0].check(Call{}, now).Holds })
		if got := f.Routing[i].Destination; got != want {
			t.Errorf("%s: %s", at, got)
		}
	}
	warned := plan.Warnings(KindFlow, "cf")
	if len(warned) != 1 || warned[0].Code != WarnCalendarMissing || warned[0].Path != "routing[2].conditions.calendar" {
		t.Errorf("%+v", warned)
	}
	for _, c := range []Conditions{{Calendar: "a b"}, {CalendarState: "open"}, {Calendar: "a", CalendarState: "x"}} {
		if len(c.Validate()) != 1 {
			t.Errorf("%+v: %v", c, c.Validate())
		}
	}
}
