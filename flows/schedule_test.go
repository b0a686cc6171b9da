package flows

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mustSchedule(t testing.TB, r *TimeRange) *schedule {
	t.Helper()
	var problems Problems
	s := compileTimeRange(r, &problems)
	if len(problems) > 0 {
		t.Fatalf("%+v: %v", r, problems)
	}
	return s
}

// Instants are written in UTC and by hand: nothing here trusts the zone data.
func TestTimeRangeFollowsTheWallClock(t *testing.T) {
	office := TimeRange{"09:00", "17:00", "America/New_York", []string{"MON", "TUE", "WED", "THU", "FRI"}}
	night := TimeRange{"22:00", "06:00", "America/New_York", []string{"FRI"}}
	springGap := TimeRange{"02:00", "03:00", "America/New_York", nil}
	autumn := TimeRange{"01:00", "02:00", "America/New_York", nil}
	for _, c := range []struct {
		what string
		r    TimeRange
		at   string
		open bool
	}{
		{"opens on the dot, in winter", office, "2026-01-15T14:00:00Z", true},
		{"a second before", office, "2026-01-15T13:59:59Z", false},
		{"the last second", office, "2026-01-15T21:59:59Z", true},
		{"closed on the dot", office, "2026-01-15T22:00:00Z", false},
		{"opens at the same local time in summer", office, "2026-07-15T13:00:00Z", true},
		{"not an hour later in summer", office, "2026-07-15T12:59:59Z", false},
		{"closed on Saturday", office, "2026-01-17T15:00:00Z", false},
		{"Monday there, Tuesday in UTC", TimeRange{"20:00", "24:00", "America/New_York", []string{"mon"}}, "2026-01-13T01:30:00Z", true},

		{"overnight begins on Friday", night, "2026-01-17T03:00:00Z", true},       // Fri 22:00
		{"not a second before", night, "2026-01-17T02:59:59Z", false},             // Fri 21:59:59
		{"goes on into Saturday", night, "2026-01-17T10:59:59Z", true},            // Sat 05:59:59
		{"ends in the morning", night, "2026-01-17T11:00:00Z", false},             // Sat 06:00
		{"not in the night to Friday", night, "2026-01-16T07:00:00Z", false},      // Fri 02:00
		{"not in the night after Saturday", night, "2026-01-18T04:00:00Z", false}, // Sat 23:00
		{"overnight to midnight", TimeRange{"22:00", "00:00", "UTC", []string{"FRI"}}, "2026-01-16T23:59:59Z", true},
		{"midnight is the next day", TimeRange{"22:00", "00:00", "UTC", []string{"FRI"}}, "2026-01-17T00:00:00Z", false},
		{"24:00 is the end of the day", TimeRange{"22:00", "24:00", "UTC", []string{"FRI"}}, "2026-01-16T23:59:59Z", true},
		{"and not of the next", TimeRange{"22:00", "24:00", "UTC", []string{"FRI"}}, "2026-01-17T00:00:00Z", false},
		{"the whole day", TimeRange{"00:00", "24:00", "UTC", []string{"FRI"}}, "2026-01-16T00:00:00Z", true},

		{"an hour that never comes", springGap, "2026-03-08T06:59:59Z", false},                                                      // 01:59:59 EST
		{"the clock jumps over it", springGap, "2026-03-08T07:00:00Z", false},                                                       // 03:00:00 EDT
		{"it is there the day before", springGap, "2026-03-07T07:30:00Z", true},                                                     // 02:30 EST
		{"an hour that comes twice: first", autumn, "2026-11-01T05:30:00Z", true},                                                   // 01:30 EDT
		{"an hour that comes twice: second", autumn, "2026-11-01T06:30:00Z", true},                                                  // 01:30 EST
		{"and then is over", autumn, "2026-11-01T07:00:00Z", false},                                                                 // 02:00 EST
		{"overnight over the jump", TimeRange{"22:00", "06:00", "America/New_York", []string{"SAT"}}, "2026-03-08T09:59:59Z", true}, // 05:59:59 EDT
		{"ends by the new clock", TimeRange{"22:00", "06:00", "America/New_York", []string{"SAT"}}, "2026-03-08T10:00:00Z", false},
		{"half an hour of daylight saving", TimeRange{"09:00", "10:00", "Australia/Lord_Howe", nil}, "2026-01-14T22:00:00Z", true}, // +11
		{"and none of it in winter", TimeRange{"09:00", "10:00", "Australia/Lord_Howe", nil}, "2026-07-14T22:29:59Z", false},       // +10:30
		{"Kathmandu's 45 minutes", TimeRange{"09:00", "10:00", "Asia/Kathmandu", nil}, "2026-01-15T03:15:00Z", true},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		s := mustSchedule(t, &c.r)
		if v := s.check(Call{}, at); v.Holds != c.open {
			t.Errorf("%s: %s is %v: %s", c.what, c.at, v.Holds, v.Text)
		}
	}
}

func TestTimeRangeSaysWhatIsWrong(t *testing.T) {
	good := TimeRange{"09:00", "17:00", "America/New_York", []string{"MON"}}
	for _, c := range []struct {
		change func(*TimeRange)
		path   string
		says   string
	}{
		{func(r *TimeRange) { r.Timezone = "EST" }, "timezone", "America/New_York"},
		{func(r *TimeRange) { r.Timezone = "cet" }, "timezone", "Europe/Berlin"},
		{func(r *TimeRange) { r.Timezone = "PST8PDT" }, "timezone", "America/Los_Angeles"},
		{func(r *TimeRange) { r.Timezone = "GMT" }, "timezone", "Europe/London"},
		{func(r *TimeRange) { r.Timezone = "" }, "timezone", "missing"},
		{func(r *TimeRange) { r.Timezone = "Local" }, "timezone", "not an IANA"},
		{func(r *TimeRange) { r.Timezone = "Mars/Olympus" }, "timezone", "not an IANA"},
		{func(r *TimeRange) { r.Timezone = "../../etc/passwd" }, "timezone", "not an IANA"},
		{func(r *TimeRange) { r.Timezone = "/etc/localtime" }, "timezone", "not an IANA"},
		{func(r *TimeRange) { r.Timezone = "posix/America/New_York" }, "timezone", "not an IANA"},
		{func(r *TimeRange) { r.Timezone = "+05:00" }, "timezone", "not an IANA"},
		{func(r *TimeRange) { r.Start = "9:00" }, "start", "09:00"},
		{func(r *TimeRange) { r.Start = "" }, "start", "09:00"},
		{func(r *TimeRange) { r.Start = "09:60" }, "start", "time of day"},
		{func(r *TimeRange) { r.Start = "24:00" }, "start", "00:00"},
		{func(r *TimeRange) { r.End = "24:01" }, "end", "time of day"},
		{func(r *TimeRange) { r.End = "5 pm" }, "end", "17:00"},
		{func(r *TimeRange) { r.End = "09:00" }, "end", "24:00"},
		{func(r *TimeRange) { r.Days = []string{"MON", "FUNDAY"} }, "days[1]", "FUNDAY"},
		{func(r *TimeRange) { r.Days = []string{} }, "days", "every day"},
	} {
		r := good
		c.change(&r)
		var problems Problems
		compileTimeRange(&r, &problems)
		if len(problems) != 1 || problems[0].Path != c.path || !strings.Contains(problems[0].Message, c.says) {
			t.Errorf("%+v: got %v, want one at %s that says %q", r, problems, c.path, c.says)
		}
	}
}

func TestZonesThatAreGood(t *testing.T) {
	for _, name := range []string{"UTC", "America/New_York", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "America/Port-au-Prince", "Europe/Berlin"} {
		if _, err := loadZone(name); err != nil {
			t.Error(err)
		}
	}
}

func TestDaysInWords(t *testing.T) {
	for _, c := range []struct {
		days []string
		want string
	}{
		{nil, "every day"},
		{[]string{"MON", "TUE", "WED", "THU", "FRI"}, "MON-FRI"},
		{[]string{"sun", "sat"}, "SAT,SUN"},
		{[]string{"FRI", "MON", "WED"}, "MON,WED,FRI"},
		{[]string{"SUN", "SAT", "FRI", "MON"}, "MON,FRI-SUN"},
	} {
		var problems Problems
		if got := dayWords(readDays(c.days, &problems)); got != c.want {
			t.Errorf("%v: %s, want %s", c.days, got, c.want)
		}
	}
}

// oracle is the slow way: it fills in every open minute of a week, day by day
// and minute by minute, and looks up the one that the wall clock shows. The
// wall clock itself comes from the offset alone.
type oracle [7 * minutesOfDay]bool

func newOracle(r TimeRange) *oracle {
	var o oracle
	var h1, m1, h2, m2 int
	_, _ = fmt.Sscanf(r.Start, "%d:%d", &h1, &m1)
	_, _ = fmt.Sscanf(r.End, "%d:%d", &h2, &m2)
	for day := range 7 {
		if r.Days != nil && !slices.Contains(r.Days, []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}[day]) {
			continue
		}
		for minute := h1*60 + m1; minute%minutesOfDay != (h2*60+m2)%minutesOfDay || minute == h1*60+m1; minute++ {
			o[(day*minutesOfDay+minute)%len(o)] = true
		}
	}
	return &o
}

func (o *oracle) open(at time.Time, zone *time.Location) bool {
	_, offset := at.In(zone).Zone()
	minutes := (at.Unix() + int64(offset)) / 60
	// The first of January 1970 was a Thursday.
	return o[(minutes+4*minutesOfDay)%int64(len(o))]
}

var oracleZones = []string{
	"UTC", "America/New_York", "Europe/Berlin", "Europe/London", "Australia/Lord_Howe", "America/Havana", "Africa/Cairo",
	"America/St_Johns", "America/Sao_Paulo", "Asia/Kathmandu", "Asia/Tehran", "Pacific/Apia", "Pacific/Kiritimati",
}

func drawTimeRange(t *rapid.T) TimeRange {
	clock := func(most int) string {
		minute := rapid.IntRange(0, most).Draw(t, "minute")
		return fmt.Sprintf("%02d:%02d", minute/60, minute%60)
	}
	r := TimeRange{Start: clock(minutesOfDay - 1), End: clock(minutesOfDay), Timezone: rapid.SampledFrom(oracleZones).Draw(t, "zone")}
	if r.Start == r.End {
		r.End = "24:00"
	}
	if rapid.Bool().Draw(t, "some days") {
		r.Days = rapid.SliceOfNDistinct(rapid.SampledFrom(dayNames[:]), 1, 7, rapid.ID[string]).Draw(t, "days")
	}
	return r
}

func TestTimeRangeAgreesWithOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawTimeRange(t)
		s, o := compileTimeRange(&r, &Problems{}), newOracle(r)
		for range 50 {
			at := time.Unix(rapid.Int64Range(86400, 4102444800).Draw(t, "at"), 0)
			if s.open(at) != o.open(at, s.zone) {
				t.Fatalf("%+v at %s: open is %v", r, at.In(s.zone), s.open(at))
			}
		}
	})
}

// Around every change of the clocks of twenty years, minute by minute.
func TestTimeRangeAgreesWithOracleWhenClocksChange(t *testing.T) {
	ranges := []TimeRange{
		{Start: "00:00", End: "24:00", Days: []string{"SUN"}},
		{Start: "01:30", End: "02:30"},
		{Start: "22:00", End: "02:15", Days: []string{"SAT"}},
		{Start: "23:30", End: "00:30", Days: []string{"FRI", "SUN"}},
		{Start: "00:00", End: "01:00", Days: []string{"SUN", "SAT"}},
	}
	for _, name := range oracleZones {
		zone, err := loadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range clockChanges(zone, 2008, 2028) {
			for _, r := range ranges {
				r.Timezone = name
				s, o := mustSchedule(t, &r), newOracle(r)
				for at := change.Add(-150 * time.Minute); at.Before(change.Add(150 * time.Minute)); at = at.Add(time.Minute) {
					if s.open(at) != o.open(at, zone) {
						t.Fatalf("%+v at %s: open is %v", r, at.In(zone), s.open(at))
					}
				}
			}
		}
	}
}

// clockChanges are the hours in which the offset of a zone changes.
func clockChanges(zone *time.Location, from, to int) []time.Time {
	var list []time.Time
	end := time.Date(to, 1, 1, 0, 0, 0, 0, time.UTC)
	_, before := time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC).In(zone).Zone()
	for at := time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC); at.Before(end); at = at.Add(time.Hour) {
		if _, offset := at.In(zone).Zone(); offset != before {
			list, before = append(list, at), offset
		}
	}
	return list
}
