package flows

import (
	"slices"
	"time"
)

const (
	blockDays   = 8   // looked through at a time
	horizonDays = 400 // a date of every year comes once in them
)

// nextChange is the first moment after at when held says something else than it
// does at at. held must follow the wall clock of zone and change only at the
// given minutes of the day, where that clock is put forward or back, or at the
// given moments. False means that nothing changes within the horizon.
func nextChange(zone *time.Location, at time.Time, minutes []int, moments []time.Time, held func(time.Time) bool) (time.Time, bool) {
	was := held(at)
	first := dayOf(at.In(zone))
	for day := 0; day <= horizonDays; day += blockDays {
		for _, t := range edgesBetween(zone, first.add(day), blockDays, minutes, moments) {
			if t.After(at) && held(t) != was {
				return t, true
			}
		}
	}
	return time.Time{}, false
}

// edgesBetween are the moments of some days, in order, at which what follows a
// wall clock can change. One more day is looked at than asked for: where clocks
// go back over midnight, days overlap.
func edgesBetween(zone *time.Location, first civil, days int, minutes []int, moments []time.Time) []time.Time {
	var list []time.Time
	for n := range days + 1 {
		day := first.add(n)
		for _, minute := range minutes {
			list = instants(list, zone, day, minute)
		}
	}
	begin := time.Date(first.year, first.month, first.day-1, 0, 0, 0, 0, zone)
	end := time.Date(first.year, first.month, first.day+days+1, 0, 0, 0, 0, zone)
	list = append(list, clockEdges(zone, begin, end)...)
	for _, t := range moments {
		if !t.Before(begin) && t.Before(end) {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, time.Time.Compare)
	return list
}

// clockEdges are the moments between two others when the clocks of a zone are
// put forward or back.
func clockEdges(zone *time.Location, begin, end time.Time) []time.Time {
	var list []time.Time
	for t := begin.In(zone); ; {
		_, next := t.ZoneBounds()
		if next.IsZero() || !next.Before(end) {
			return list
		}
		list = append(list, next)
		t = next
	}
}

// instants adds the moments at which the clocks of a zone show a minute of a
// day: one as a rule, none in an hour that is left out, two in one that comes
// twice.
func instants(list []time.Time, zone *time.Location, day civil, minute int) []time.Time {
	wall := time.Date(day.year, day.month, day.day, 0, minute, 0, 0, time.UTC)
	var tried [3]int
	for i, near := range [3]time.Duration{-36 * time.Hour, 0, 36 * time.Hour} {
		_, offset := wall.Add(near).In(zone).Zone()
		tried[i] = offset
		if slices.Contains(tried[:i], offset) {
			continue
		}
		at := wall.Add(-time.Duration(offset) * time.Second)
		if _, real := at.In(zone).Zone(); real == offset {
			list = append(list, at)
		}
	}
	return list
}
