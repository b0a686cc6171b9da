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
	open  bool
	by    string // override, date or weekly
	name  string // of the date
	words string
}

// state is the calendar at a moment: the override, else the date, else the week.
// Hours that began the day before go on over midnight; weekly ones only into a
// day that is not a date itself.
func (p *calendarPlan) state(at time.Time) state {
	if c := p.calendar; c.Override != "" && (c.Until.IsZero() || at.Before(c.Until)) {
		words := "overridden until it is taken back"
		if !c.Until.IsZero() {
			words = "overridden until " + c.Until.UTC().Format(time.RFC3339)
		}
		return state{open: c.Override == CalendarOpen, by: byOverride, words: words}
	}
	local := at.In(p.zone)
	today, minute := dayOf(local), local.Hour()*60+local.Minute()
	yesterday := today.add(-1)
	now, before := p.date(today), p.date(yesterday)
	if now != nil {
		for _, s := range now.spans {
			if on, _ := s.covers(minute); on {
				return dated(true, today, now)
			}
		}
	}
	if before != nil {
		for _, s := range before.spans {
			if _, on := s.covers(minute); on {
				return dated(true, yesterday, before)
			}
		}
	}
	if now != nil {
		return dated(false, today, now)
	}
	return p.week(today, minute, before == nil)
}

func dated(open bool, day civil, d *datePlan) state {
	s := state{open: open, by: byDate, name: d.name, words: fmt.Sprintf("%s is %s", day, d.name)}
	if len(d.spans) > 0 {
		s.words += " (" + d.words() + ")"
	}
	return s
}

// week is what the weekly hours say; the night before counts when that day
// followed the week, too.
func (p *calendarPlan) week(day civil, minute int, night bool) state {
	weekday := day.weekday()
	before := (weekday + 6) % 7
	if p.always {
		return state{open: true, by: byWeek, words: fmt.Sprintf("%s %s is no special date", dayNames[weekday], day)}
	}
	for _, s := range p.weekly {
		today, tomorrow := s.covers(minute)
		if today && s.days[weekday] || tomorrow && s.days[before] && night {
			return state{open: true, by: byWeek, words: fmt.Sprintf("%s %s is within %s", dayNames[weekday], day, s.words)}
		}
	}
	return state{by: byWeek, words: fmt.Sprintf("%s %s is outside the weekly hours", dayNames[weekday], day)}
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
	quiet  bool          // only whether it holds is asked
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
	if v.Holds = word == c.wanted; c.quiet {
		return v
	}
	local := at.In(c.plan.zone)
	v.Text = fmt.Sprintf("%s: %s in calendar %s, %s, local %s", word, now.words, c.id, c.plan.calendar.Timezone, local.Format("15:04"))
	v.Detail["state"], v.Detail["by"], v.Detail["local"] = word, now.by, local.Format(time.RFC3339)
	v.Detail["timezone"] = c.plan.calendar.Timezone
	if now.name != "" {
		v.Detail["date"] = now.name
	}
	if next, ok := c.plan.next(at); ok {
		v.Detail["next_change_at"] = next.UTC().Format(time.RFC3339)
	}
	return v
}
