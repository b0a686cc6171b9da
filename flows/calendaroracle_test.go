package flows

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// paint is the slow way to read a calendar: it writes down every open minute of
// one day and the night after it, as the wall clock shows them.
func paint(c *Calendar, day time.Time, open map[string]bool) {
	spans, special := oracleDate(c, day)
	next := day.AddDate(0, 0, 1)
	_, tomorrow := oracleDate(c, next)
	for _, s := range spans {
		at := func(text string) time.Time {
			var h, m int
			_, _ = fmt.Sscanf(text, "%d:%d", &h, &m)
			return day.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute)
		}
		from, to := at(s.Start), at(s.End)
		if to.Before(from) {
			to = to.AddDate(0, 0, 1)
		}
		for ; from.Before(to); from = from.Add(time.Minute) {
			if from.Before(next) || special || !tomorrow {
				open[from.Format("2006-01-02 15:04")] = true
			}
		}
	}
}

// oracleDate is what applies on a day, and whether that is a date.
func oracleDate(c *Calendar, day time.Time) ([]DayHours, bool) {
	for _, length := range []int{10, 5} { // a date with its year first
		for _, d := range c.Dates {
			if d.Nth == 0 && len(d.Date) == length && strings.HasSuffix(day.Format(time.DateOnly), d.Date) {
				return d.Hours, true
			}
			if length == 5 && d.Nth != 0 && oracleNth(d, day) {
				return d.Hours, true
			}
		}
	}
	if c.Hours == nil {
		return []DayHours{{"00:00", "24:00"}}, false
	}
	var list []DayHours
	for _, h := range c.Hours {
		if h.Days == nil || strings.Contains(strings.Join(h.Days, " "), strings.ToUpper(day.Format("Mon"))) {
			list = append(list, DayHours{h.Start, h.End})
		}
	}
	return list, false
}

// oracleNth lists the days of the month and counts.
func oracleNth(d CalendarDate, day time.Time) bool {
	day = day.AddDate(0, 0, -d.Offset)
	if int(day.Month()) != d.Month {
		return false
	}
	var named []int
	for at := time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC); at.Month() == day.Month(); at = at.AddDate(0, 0, 1) {
		if strings.ToUpper(at.Format("Mon")) == d.Weekday {
			named = append(named, at.Day())
		}
	}
	n := d.Nth - 1
	if d.Nth < 0 {
		n = len(named) - 1
	}
	return n < len(named) && named[n] == day.Day()
}

type calendarOracle struct {
	calendar *Calendar
	zone     *time.Location
	painted  map[string]bool
	open     map[string]bool
}

func newCalendarOracle(c *Calendar, zone *time.Location) *calendarOracle {
	return &calendarOracle{c, zone, map[string]bool{}, map[string]bool{}}
}

func (o *calendarOracle) at(at time.Time) bool {
	if o.calendar.Override != "" && (o.calendar.Until.IsZero() || at.Unix() < o.calendar.Until.Unix()) {
		return o.calendar.Override == "open"
	}
	wall := at.In(o.zone).Format("2006-01-02 15:04")
	day, _ := time.Parse(time.DateOnly, wall[:10])
	for _, d := range []time.Time{day, day.AddDate(0, 0, -1)} {
		if name := d.Format(time.DateOnly); !o.painted[name] {
			o.painted[name] = true
			paint(o.calendar, d, o.open)
		}
	}
	return o.open[wall]
}

func drawCalendar(t *rapid.T) *Calendar {
	hours := func() DayHours {
		r := drawTimeRange(t)
		return DayHours{r.Start, r.End}
	}
	c := &Calendar{ID: "c", Name: "c", Timezone: rapid.SampledFrom(oracleZones).Draw(t, "zone")}
	if rapid.Bool().Draw(t, "weekly") {
		c.Hours = []CalendarHours{}
		for range rapid.IntRange(0, 3).Draw(t, "hours") {
			r := drawTimeRange(t)
			c.Hours = append(c.Hours, CalendarHours{r.Days, r.Start, r.End})
		}
	}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	seen := map[string]bool{}
	for range rapid.IntRange(0, 6).Draw(t, "dates") {
		d := CalendarDate{Name: "d"}
		switch day := begin.AddDate(0, 0, rapid.IntRange(0, 40).Draw(t, "day")); rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			d.Date = day.Format(time.DateOnly)
		case 1:
			d.Date = day.Format("01-02")
		default:
			d.Nth, d.Month = rapid.SampledFrom([]int{-1, 1, 2, 3, 4, 5}).Draw(t, "nth"), int(day.Month())
			d.Weekday, d.Offset = rapid.SampledFrom(dayNames[:]).Draw(t, "weekday"), rapid.IntRange(-3, 3).Draw(t, "offset")
		}
		if d.Closed = rapid.Bool().Draw(t, "closed"); !d.Closed {
			d.Hours = []DayHours{hours(), hours()}
		}
		if len(d.Date) == 10 && seen[d.Date] {
			continue
		}
		seen[d.Date] = true
		c.Dates = append(c.Dates, d)
	}
	if rapid.IntRange(0, 3).Draw(t, "override") == 0 {
		c.Override = rapid.SampledFrom([]string{CalendarOpen, CalendarClosed}).Draw(t, "state")
		c.Until = begin.Add(time.Duration(rapid.IntRange(0, 40*24*60).Draw(t, "until")) * time.Minute)
	}
	return c
}

func TestCalendarAgreesWithOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCalendar(t)
		p, problems := compileCalendar(c)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		o := newCalendarOracle(c, p.zone)
		for range 30 {
			at := time.Date(2026, 1, 1, 0, rapid.IntRange(0, 42*24*60).Draw(t, "minute"), rapid.IntRange(0, 59).Draw(t, "second"), 0, time.UTC)
			if got := p.state(at); got.open != o.at(at) {
				t.Fatalf("%+v at %s: %+v", c, at.In(p.zone), got)
			}
		}
	})
}

// next_change_at is what stepping from minute to minute finds.
func TestCalendarNextChangeAgreesWithOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCalendar(t)
		p, _ := compileCalendar(c)
		o := newCalendarOracle(c, p.zone)
		// Where the clocks change, too: the zones have their edges in these weeks.
		begin := time.Date(2026, rapid.SampledFrom([]time.Month{1, 3, 4, 10}).Draw(t, "month"), 1, 0, 0, 0, 0, time.UTC)
		at := begin.Add(time.Duration(rapid.IntRange(0, 31*24*60).Draw(t, "minute")) * time.Minute)
		next, ok := p.next(at)
		limit := at.AddDate(0, 0, 2)
		step := at
		for step.Before(limit) && o.at(step) == o.at(at) {
			step = step.Add(time.Minute)
		}
		if !step.Before(limit) {
			if ok && next.Before(limit) {
				t.Fatalf("%+v at %s: changes at %s", c, at, next)
			}
			return
		}
		if !ok || !next.Equal(step) {
			t.Fatalf("%+v at %s: %s, stepping finds %s", c, at.In(p.zone), next.In(p.zone), step.In(p.zone))
		}
	})
}

var allZones = flag.Bool("all-zones", false, "look at every zone, not at one of those with the same changes")

// Every IANA zone: around every change of its clocks from 2024 to 2030 hours are
// read minute by minute. Zones whose clocks change by the same amounts at the
// same moments are the same zone by another name, so one of them stands for all.
func TestTimeRangeEveryZoneAroundEveryClockChangeUntil2030(t *testing.T) {
	list, err := os.ReadFile("testdata/zones.txt")
	if err != nil {
		t.Fatal(err)
	}
	begin, end := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	names, kinds, edges := 0, map[string]bool{}, 0
	for _, name := range strings.Fields(string(list)) {
		zone, err := loadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		names++
		changes := clockEdges(zone, begin, end)
		kind := ""
		for _, at := range append(changes, begin) {
			_, offset := at.In(zone).Zone()
			kind += fmt.Sprint(at.Unix(), " ", offset, " ")
		}
		if kinds[kind] && !*allZones {
			continue
		}
		kinds[kind] = true
		edges += len(changes)
		for _, at := range changes {
			aroundChange(t, name, zone, at)
		}
	}
	t.Logf("%d zones, %d of them different, %d changes of clocks", names, len(kinds), edges)
}

func aroundChange(t *testing.T, name string, zone *time.Location, change time.Time) {
	t.Helper()
	local := change.Add(-time.Second).In(zone)
	clock := func(d time.Duration) string { return local.Add(d).Format("15:04") }
	day := []string{strings.ToUpper(local.Format("Mon"))}
	for _, r := range []TimeRange{
		{Start: clock(-time.Hour), End: clock(45 * time.Minute)},
		{Start: clock(time.Minute), End: clock(2 * time.Hour), Days: day},
		{Start: clock(31 * time.Minute), End: clock(-90 * time.Minute), Days: day},
	} {
		r.Timezone = name
		s, o := mustSchedule(t, &r), newOracle(r)
		for at := change.Add(-121 * time.Minute); at.Before(change.Add(121 * time.Minute)); at = at.Add(time.Minute) {
			if s.open(at) != o.open(at, zone) {
				t.Fatalf("%+v at %s: open is %v", r, at.In(zone), s.open(at))
			}
		}
	}
}
