package flows

import (
	"fmt"
	"testing"
	"time"
)

// hundred is a flow whose last rule takes the call; the conditions of the others
// are of all kinds, and none of them holds at noon on a Wednesday.
func hundred(t testing.TB) *flowPlan {
	t.Helper()
	yes := true
	f := &CallFlow{ID: "cf", Name: "x", Active: true}
	zones := []string{"America/New_York", "Europe/Berlin", "Asia/Kathmandu", "UTC"}
	for i := range 99 {
		r := Rule{Pattern: "*", Destination: "done", DestinationType: ToHangup}
		switch i % 6 {
		case 0, 1:
			r.Conditions = &Conditions{TimeRange: &TimeRange{Start: "01:00", End: "02:00", Timezone: zones[i%4], Days: []string{"MON", "WED"}}}
		case 2:
			r.Conditions = &Conditions{Calendar: fmt.Sprintf("cal_%d", i%4), CalendarState: CalendarClosed}
		case 3:
			r.Conditions = &Conditions{BlockedNumbers: []string{"+14155552699", "+4930*", fmt.Sprintf("+1212555%04d", i)}}
		case 4:
			r.Conditions = &Conditions{Anonymous: &yes}
		case 5:
			r.Conditions = &Conditions{Verstat: []string{VerstatFailed}}
		}
		f.Routing = append(f.Routing, r)
	}
	f.Routing = append(f.Routing, Rule{Pattern: "*", Destination: "done", DestinationType: ToHangup})
	n := Nouns{Flows: []*CallFlow{f}}
	for i := range 4 {
		n.Calendars = append(n.Calendars, &Calendar{ID: fmt.Sprintf("cal_%d", i), Name: "x", Timezone: zones[i], Dates: []CalendarDate{
			{Name: "Thanksgiving", Nth: 4, Weekday: "THU", Month: 11, Closed: true}, {Name: "Christmas", Date: "12-25", Closed: true}, {Name: "Fair", Date: "2026-12-09", Closed: true},
		}})
	}
	p, problems := NewPlan(n)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p.flows["cf"]
}

var noon = time.Date(2026, 12, 2, 17, 0, 0, 0, time.UTC)

// A decision allocates nothing.
func TestDecidingDoesNotAllocate(t *testing.T) {
	f := hundred(t)
	call, d := Call{From: "+14155550100"}, new(decision)
	if n := testing.AllocsPerRun(100, func() {
		d.of(&call, noon)
		if f.arrival(0, d, nil) != 99 {
			t.Fatal("another rule takes the call")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkDecision finds the rule that takes a call, which is the last of a
// hundred with conditions of all kinds.
func BenchmarkDecision(b *testing.B) {
	f := hundred(b)
	call, d := Call{From: "+14155550100"}, new(decision)
	b.ReportAllocs()
	for b.Loop() {
		d.of(&call, noon)
		if f.arrival(0, d, nil) != 99 {
			b.Fatal("another rule takes the call")
		}
	}
}

// Whether a condition holds and why are two ways to one end.
func TestHoldsIsWhatCheckSays(t *testing.T) {
	f := hundred(t)
	d := new(decision)
	for _, from := range []string{"+14155550100", "+14155552699", "+493012345", "anonymous", "", "12125550003"} {
		for hour := range 24 * 400 {
			if hour%7 != 0 {
				continue
			}
			call := Call{From: from, Verstat: []string{"", VerstatPassed, VerstatFailed}[hour%3]}
			at := noon.Add(time.Duration(hour) * time.Hour)
			d.of(&call, at)
			for i := range 12 {
				for _, c := range f.rules[i].conditions {
					if v := c.check(call, at); v.Holds != c.holds(d) {
						t.Fatalf("rule %d from %q at %s: %v, but %q", i, from, at, !v.Holds, v.Text)
					}
				}
			}
		}
	}
}
