package flows

import (
	"fmt"
	"slices"
	"time"
)

// calendarPlan is a compiled calendar.
type calendarPlan struct {
	calendar  *Calendar
	zone      *time.Location
	always    bool // no weekly hours are given
	weekly    []span
	exact     map[civil]*datePlan
	recurring []*datePlan // of every year; the first that fits counts
	minutes   []int       // of the day, at which something can change
}

// edges collects the minutes of the day at which the calendar can change.
func (p *calendarPlan) edges() {
	p.minutes = []int{0}
	add := func(spans []span) {
		for _, s := range spans {
			p.minutes = append(p.minutes, s.start, s.end)
		}
	}
	add(p.weekly)
	for _, d := range p.exact {
		add(d.spans)
	}
	for _, d := range p.recurring {
		add(d.spans)
	}
	slices.Sort(p.minutes)
	p.minutes = slices.Compact(p.minutes)
}

// date is what is different on a day, or nil. A date with its year comes before
// one of every year.
func (p *calendarPlan) date(c civil) *datePlan {
	if d := p.exact[c]; d != nil {
		return d
	}
	for _, d := range p.recurring {
		if d.is(c) {
			return d
		}
	}
	return nil
}

// What decided the state of a calendar.
const (
	byOverride = "override"
	byDate     = "date"
	byWeek     = "weekly"
)

// state is what a calendar says of a moment.
type state struct {
	open bool
	by   string    // override, date or weekly
	date *datePlan // that decides
	on   civil     // its day, or that of the weekly hours
	span *span     // of the weekly hours that hold
}

// words are a state in words.
func (p *calendarPlan) words(s state) string {
	day := dayNames[s.on.weekday()] + " " + s.on.String()
	switch {
	case s.by == byOverride && p.calendar.Until.IsZero():
		return "overridden until it is taken back"
	case s.by == byOverride:
		return "overridden until " + p.calendar.Until.UTC().Format(time.RFC3339)
	case s.by == byDate && len(s.date.spans) > 0:
		return fmt.Sprintf("%s is %s (%s)", s.on, s.date.name, s.date.words())
	case s.by == byDate:
		return fmt.Sprintf("%s is %s", s.on, s.date.name)
	case s.span != nil:
		return day + " is within " + s.span.words
	case s.open:
		return day + " is no special date"
	}
	return day + " is outside the weekly hours"
}

// state is the calendar at a moment: the override, else the date, else the week.
// Hours that began the day before go on over midnight; weekly ones only into a
// day that is not a date itself.
func (p *calendarPlan) state(at time.Time) state {
	if c := p.calendar; c.Override != "" && (c.Until.IsZero() || at.Before(c.Until)) {
		return state{open: c.Override == CalendarOpen, by: byOverride}
	}
	local := clockOf(at, p.zone)
	today, minute := local.day, local.minute
	yesterday := today.add(-1)
	now, before := p.date(today), p.date(yesterday)
	if now != nil {
		for _, s := range now.spans {
			if on, _ := s.covers(minute); on {
				return state{open: true, by: byDate, on: today, date: now}
			}
		}
	}
	if before != nil {
		for _, s := range before.spans {
			if _, on := s.covers(minute); on {
				return state{open: true, by: byDate, on: yesterday, date: before}
			}
		}
	}
	if now != nil {
		return state{by: byDate, on: today, date: now}
	}
	return p.week(today, minute, before == nil)
}

// week is what the weekly hours say; the night before counts when that day
// followed the week, too.
func (p *calendarPlan) week(day civil, minute int, night bool) state {
	weekday := day.weekday()
	before := (weekday + 6) % 7
	if p.always {
		return state{open: true, by: byWeek, on: day}
	}
	for i := range p.weekly {
		s := &p.weekly[i]
		today, tomorrow := s.covers(minute)
		if today && s.days[weekday] || tomorrow && s.days[before] && night {
			return state{open: true, by: byWeek, on: day, span: s}
		}
	}
	return state{by: byWeek, on: day}
}

// next is the next moment at which the calendar opens or closes, false when
// there is none within a year or so.
func (p *calendarPlan) next(at time.Time) (time.Time, bool) {
	open := func(t time.Time) bool { return p.state(t).open }
	return nextChange(p.zone, at, p.minutes, p.moments(), open)
}

// moments are the changes that no wall clock tells.
func (p *calendarPlan) moments() []time.Time {
	if p.calendar.Override == "" || p.calendar.Until.IsZero() {
		return nil
	}
	return []time.Time{p.calendar.Until}
}

// calendarCondition holds when a calendar is in the wanted state.
type calendarCondition struct {
	id     string
	wanted string
	plan   *calendarPlan // nil when there is no such calendar
}

func (c calendarCondition) holds(d *decision) bool {
	return c.plan != nil && d.open(c.plan) == (c.wanted == CalendarOpen)
}

func (c calendarCondition) check(_ Call, at time.Time) Verdict {
	v := Verdict{Condition: "calendar", Detail: map[string]any{"calendar": c.id, "wanted": c.wanted}}
	if c.plan == nil {
		v.Text = "there is no calendar " + c.id
		return v
	}
	now := c.plan.state(at)
	word := CalendarClosed
	if now.open {
		word = CalendarOpen
	}
	v.Holds = word == c.wanted
	local := at.In(c.plan.zone)
	v.Text = fmt.Sprintf("%s: %s in calendar %s, %s, local %s", word, c.plan.words(now), c.id, c.plan.calendar.Timezone, local.Format("15:04"))
	v.Detail["state"], v.Detail["by"], v.Detail["local"] = word, now.by, local.Format(time.RFC3339)
	v.Detail["timezone"] = c.plan.calendar.Timezone
	if now.date != nil {
		v.Detail["date"] = now.date.name
	}
	if next, ok := c.plan.next(at); ok {
		v.Detail["next_change_at"] = next.UTC().Format(time.RFC3339)
	}
	return v
}
