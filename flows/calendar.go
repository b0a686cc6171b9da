package flows

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Calendar says when something is open, by the wall clock of its zone: weekly
// hours, dates that differ from them, and an override over both. Rules ask it
// with the condition calendar.
type Calendar struct {
	ID        string          `json:"calendar_id"`
	Name      string          `json:"name"`
	Timezone  string          `json:"timezone"`
	Hours     []CalendarHours `json:"hours,omitzero"` // weekly; nil means always, an empty list never
	Dates     []CalendarDate  `json:"dates,omitempty"`
	Override  string          `json:"override,omitempty"` // open | closed
	Until     time.Time       `json:"until,omitzero"`     // of the override; zero means until it is taken back
	CreatedAt time.Time       `json:"created_at,omitzero"`
	UpdatedAt time.Time       `json:"updated_at,omitzero"`
	Revision  int             `json:"revision,omitempty"`
}

// CalendarHours are hours of some days of the week. An end before the start
// means overnight; days then name the day of the start.
type CalendarHours struct {
	Days  []string `json:"days,omitempty"`
	Start string   `json:"start"`
	End   string   `json:"end"`
}

// CalendarDate is a day that differs from the week: one date, a date of every
// year, or the nth weekday of a month, each with hours of its own, or closed.
type CalendarDate struct {
	Name    string     `json:"name"`
	Date    string     `json:"date,omitempty"`    // 2026-11-26, or 12-25 for every year
	Nth     int        `json:"nth,omitempty"`     // 1 to 5, or -1 for the last
	Weekday string     `json:"weekday,omitempty"` // MON to SUN
	Month   int        `json:"month,omitempty"`   // 1 to 12
	Offset  int        `json:"offset,omitempty"`  // days after the nth weekday
	Closed  bool       `json:"closed,omitempty"`
	Hours   []DayHours `json:"hours,omitempty"`
}

// DayHours are hours of one day; an end before the start lies on the next day.
type DayHours struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

// The states of a calendar, as an override and as a condition name them.
const (
	CalendarOpen   = "open"
	CalendarClosed = "closed"
)

const (
	maxCalendarHours = 100
	maxCalendarDates = 2000
	maxOffset        = 31
)

// ApplyDefaults fills in what was left out; without an override there is
// nothing that could end.
func (c *Calendar) ApplyDefaults() {
	if c.Override == "" {
		c.Until = time.Time{}
	}
}

// Validate tells everything that is wrong with the calendar.
func (c *Calendar) Validate() Problems {
	_, problems := compileCalendar(c)
	problems.checkID("calendar_id", c.ID)
	problems.checkName(c.Name)
	problems.checkOneOf("override", c.Override, "", CalendarOpen, CalendarClosed)
	if len(c.Hours) > maxCalendarHours {
		problems.add("hours", "a calendar has at most %d weekly hours; this one has %d", maxCalendarHours, len(c.Hours))
	}
	if len(c.Dates) > maxCalendarDates {
		problems.add("dates", "a calendar has at most %d dates; this one has %d", maxCalendarDates, len(c.Dates))
	}
	return problems
}

// span is a stretch of a day, in minutes since its midnight. An end before the
// start lies on the next day.
type span struct {
	start, end int
	days       [7]bool // of the week; unused for dates
	words      string
}

// covers tells whether the span covers this minute of the day on which it
// begins, and of the day after.
func (s span) covers(minute int) (today, tomorrow bool) {
	if s.start < s.end {
		return minute >= s.start && minute < s.end, false
	}
	return minute >= s.start, minute < s.end
}

// readSpan reads the start and the end of hours.
func readSpan(start, end string, problems *Problems) (s span) {
	var startOK, endOK bool
	if s.start, startOK = readClock(start); !startOK {
		problems.add("start", "%q is not a time of day; write it as 09:00", start)
	} else if s.start == minutesOfDay {
		problems.add("start", "a range cannot start at 24:00; write 00:00")
		startOK = false
	}
	if s.end, endOK = readClock(end); !endOK {
		problems.add("end", "%q is not a time of day; write it as 17:00, or 24:00 for the end of the day", end)
	}
	if startOK && endOK && s.start == s.end {
		problems.add("end", "start and end are both %s, which is no time at all; for the whole day write 00:00 and 24:00", start)
	}
	s.words = start + "-" + end
	if s.start > s.end {
		s.words += " (overnight)"
	}
	return s
}

// readDate reads which days a date stands for.
func readDate(d CalendarDate, problems *Problems) (p *datePlan) {
	p = &datePlan{name: d.Name, offset: d.Offset, nth: d.Nth}
	problems.checkName(d.Name)
	if (d.Date == "") == (d.Nth == 0 && d.Weekday == "" && d.Month == 0) {
		problems.add("date", "say which day it is, in one way: date as 2026-11-26, or as 12-25 for every year, or nth, weekday and month")
		return p
	}
	if d.Date != "" {
		p.readDay(d, problems)
		return p
	}
	if d.Nth == 0 || d.Nth < -1 || d.Nth > 5 {
		problems.add("nth", "%d is out of range; use 1 to 5, or -1 for the last", d.Nth)
	}
	if d.Month < 1 || d.Month > 12 {
		problems.add("month", "%d is not a month; use 1 to 12", d.Month)
	}
	if d.Offset < -maxOffset || d.Offset > maxOffset {
		problems.add("offset", "%d is out of range; use -%d to %d", d.Offset, maxOffset, maxOffset)
	}
	p.month = time.Month(d.Month)
	for day, known := range dayNames {
		if strings.EqualFold(d.Weekday, known) {
			p.weekday = time.Weekday(day)
			return p
		}
	}
	problems.add("weekday", "%q is not a day; use MON, TUE, WED, THU, FRI, SAT or SUN", shorten(d.Weekday))
	return p
}

// readDay reads a date with or without a year. The 29th of February is a date of
// every year that has it.
func (p *datePlan) readDay(d CalendarDate, problems *Problems) {
	if d.Offset != 0 {
		problems.add("offset", "offset counts from the nth weekday of a month; give the date itself instead")
	}
	text := d.Date
	p.yearly = len(text) == len("12-25")
	if p.yearly {
		text = "2000-" + text
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		problems.add("date", "%q is not a date; write it as 2026-11-26, or as 12-25 for every year", shorten(d.Date))
		return
	}
	p.day = dayOf(at)
}

// civil is a day of the calendar, in no zone.
type civil struct {
	year  int
	month time.Month
	day   int
}

func dayOf(t time.Time) civil {
	y, m, d := t.Date()
	return civil{y, m, d}
}

func (c civil) add(days int) civil {
	return dayOf(time.Date(c.year, c.month, c.day+days, 0, 0, 0, 0, time.UTC))
}

func (c civil) weekday() time.Weekday {
	return time.Date(c.year, c.month, c.day, 0, 0, 0, 0, time.UTC).Weekday()
}

func (c civil) String() string { return fmt.Sprintf("%04d-%02d-%02d", c.year, c.month, c.day) }

// datePlan is a compiled CalendarDate.
type datePlan struct {
	name    string
	yearly  bool
	day     civil
	nth     int // 0: day says it
	weekday time.Weekday
	month   time.Month
	offset  int
	spans   []span // none: closed
}

func (p *datePlan) is(c civil) bool {
	switch {
	case p.yearly:
		return p.day.month == c.month && p.day.day == c.day
	case p.nth == 0:
		return p.day == c
	}
	c = c.add(-p.offset)
	if c.month != p.month || c.weekday() != p.weekday {
		return false
	}
	if p.nth < 0 {
		return c.add(7).month != c.month
	}
	return (c.day-1)/7+1 == p.nth
}

func (p *datePlan) words() string {
	parts := make([]string, len(p.spans))
	for i, s := range p.spans {
		parts[i] = s.words
	}
	return strings.Join(parts, ", ")
}

// compileCalendar compiles a calendar and tells what is wrong with it.
func compileCalendar(c *Calendar) (*calendarPlan, Problems) {
	var problems Problems
	p := &calendarPlan{calendar: c, always: c.Hours == nil, exact: map[civil]*datePlan{}}
	var err error
	if p.zone, err = loadZone(c.Timezone); err != nil {
		problems.add("timezone", "%s", err)
		p.zone = time.UTC
	}
	for i, h := range c.Hours {
		var found Problems
		s := readSpan(h.Start, h.End, &found)
		s.days = readDays(h.Days, &found)
		s.words = dayWords(s.days) + " " + s.words
		p.weekly = append(p.weekly, s)
		problems = append(problems, found.Under("hours["+strconv.Itoa(i)+"]")...)
	}
	for i, d := range c.Dates {
		problems = append(problems, p.add(d).Under("dates["+strconv.Itoa(i)+"]")...)
	}
	p.edges()
	return p, problems
}

// add takes a date in.
func (p *calendarPlan) add(d CalendarDate) Problems {
	var problems Problems
	date := readDate(d, &problems)
	if d.Closed == (len(d.Hours) > 0) {
		problems.add("closed", "say what is different on this day: closed, or hours of its own")
	}
	for i, h := range d.Hours {
		var found Problems
		date.spans = append(date.spans, readSpan(h.Start, h.End, &found))
		problems = append(problems, found.Under("hours["+strconv.Itoa(i)+"]")...)
	}
	if date.yearly || date.nth != 0 {
		p.recurring = append(p.recurring, date)
		return problems
	}
	if first := p.exact[date.day]; first != nil && len(problems) == 0 {
		problems.add("date", "%s is given twice: it is %s already; give each date once, with all its hours", date.day, first.name)
	}
	p.exact[date.day] = date
	return problems
}
