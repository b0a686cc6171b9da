package flows

import (
	"slices"
	"time"
)

// A decision is one moment of one call, as conditions look at it: what several
// of them ask for (the wall clock of a zone, the state of a calendar) is found
// out once. It is on the way of every call, so deciding allocates nothing; why a
// condition holds is put into words by its check, when somebody reads the trace.
type decision struct {
	call      *Call
	at        time.Time
	caller    string // as the lists write numbers
	clocks    [8]clock
	calendars [8]calendarNow
	zones     int // clocks in use
	asked     int // calendars in use
}

// clock is what the wall clock of a zone shows.
type clock struct {
	zone   *time.Location
	day    civil
	week   time.Weekday
	minute int // of the day
}

type calendarNow struct {
	plan *calendarPlan
	open bool
}

// of begins a decision.
func (d *decision) of(c *Call, at time.Time) {
	d.call, d.at, d.caller = c, at, callerNumber(c)
	d.zones, d.asked = 0, 0
}

// clock is the wall clock of a zone.
func (d *decision) clock(zone *time.Location) clock {
	for i := range d.zones {
		if d.clocks[i].zone == zone {
			return d.clocks[i]
		}
	}
	now := clockOf(d.at, zone)
	if d.zones < len(d.clocks) {
		d.clocks[d.zones] = now
		d.zones++
	}
	return now
}

func clockOf(at time.Time, zone *time.Location) clock {
	local := at.In(zone)
	hour, minute, _ := local.Clock()
	return clock{zone: zone, day: dayOf(local), week: local.Weekday(), minute: hour*60 + minute}
}

// open says whether a calendar is.
func (d *decision) open(p *calendarPlan) bool {
	for i := range d.asked {
		if d.calendars[i].plan == p {
			return d.calendars[i].open
		}
	}
	open := p.state(d.at).open
	if d.asked < len(d.calendars) {
		d.calendars[d.asked] = calendarNow{p, open}
		d.asked++
	}
	return open
}

// holds says whether all conditions of a rule do.
func (r *rulePlan) holds(d *decision) bool {
	for _, c := range r.conditions {
		if !c.holds(d) {
			return false
		}
	}
	return true
}

// arrival is the first rule from one on that takes part when a call arrives,
// holds, and does not lead back to a menu that the caller has just left; the
// number of rules when there is none.
func (f *flowPlan) arrival(from int, d *decision, left []string) int {
	for i := from; i < len(f.rules); i++ {
		if f.rules[i].catchAll && !f.backTo(i, left) && f.rules[i].holds(d) {
			return i
		}
	}
	return len(f.rules)
}

// backTo says whether a rule leads to a menu that the caller has been in.
func (f *flowPlan) backTo(i int, left []string) bool {
	r := &f.flow.Routing[i]
	return len(left) > 0 && r.DestinationType == ToMenu && slices.Contains(left, r.Destination)
}
