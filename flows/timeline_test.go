package flows

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func timelinePlan(t testing.TB) (*Plan, *CallFlow) {
	t.Helper()
	f := &CallFlow{ID: "cf", Name: "cf", Active: true, Revision: 2, Routing: []Rule{
		{Pattern: "*", Destination: "+14155552673", DestinationType: ToNumber, Conditions: &Conditions{Calendar: "us-office"}},
		{Pattern: "*", Destination: DefaultBoxID, DestinationType: ToVoicemail},
	}}
	plan, problems := NewPlan(Nouns{Flows: []*CallFlow{f}, Calendars: []*Calendar{usOffice()}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return plan, f
}

// Where calls go around Thanksgiving, with the holiday marked and the next
// change told.
func TestTimelineOfAHoliday(t *testing.T) {
	plan, f := timelinePlan(t)
	line, err := plan.Timeline(t.Context(), f, Call{From: "+14155550100"}, moment(t, "2026-11-25T15:00:00Z"), moment(t, "2026-11-27T16:00:00Z"), moment(t, "2026-11-25T15:12:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range line.Stretches {
		got = append(got, s.Local+" "+s.words())
	}
	want := "Wed Nov 25 10:00–17:00 phone number +14155552673|Wed Nov 25 17:00–Fri Nov 27 10:00 voicemail box voicemail_default|Fri Nov 27 10:00–11:00 phone number +14155552673"
	if strings.Join(got, "|") != want {
		t.Errorf("%s", strings.Join(got, "|"))
	}
	if line.NextChangeAt == nil || !line.NextChangeAt.Equal(moment(t, "2026-11-25T22:00:00Z")) {
		t.Errorf("next change at %v", line.NextChangeAt)
	}
	var marks []string
	for _, m := range line.Marks {
		marks = append(marks, m.Text)
	}
	if strings.Join(marks, "|") != "2026-11-26 is Thanksgiving in calendar us-office: closed|2026-11-27 is the day after Thanksgiving in calendar us-office: 10:00-14:00" {
		t.Errorf("%v", marks)
	}
}

func TestTimelineMarksTheClocks(t *testing.T) {
	plan, f := timelinePlan(t)
	line, err := plan.Timeline(t.Context(), f, Call{}, moment(t, "2026-03-07T00:00:00Z"), moment(t, "2026-03-10T00:00:00Z"), time.Time{})
	if err != nil || len(line.Marks) != 1 || line.Marks[0].Text != "the clocks of America/New_York go forward by 1h, to 03:00" ||
		!line.Marks[0].At.Equal(moment(t, "2026-03-08T07:00:00Z")) {
		t.Errorf("%v %+v", err, line)
	}
}

// "Dec 24 14:00–17:00 now goes to voicemail."
func TestTimelineComparesTwoRevisions(t *testing.T) {
	plan, f := timelinePlan(t)
	old := *f
	old.Routing = append([]Rule{{Pattern: "*", Destination: "+14155552673", DestinationType: ToNumber,
		Conditions: &Conditions{TimeRange: &TimeRange{"09:00", "17:00", "America/New_York", []string{"MON", "TUE", "WED", "THU", "FRI"}}}}}, f.Routing[1])
	from, to := moment(t, "2026-11-25T05:00:00Z"), moment(t, "2026-11-28T05:00:00Z")
	is, err := plan.Timeline(t.Context(), f, Call{}, from, to, from)
	if err != nil {
		t.Fatal(err)
	}
	was, err := plan.With(&old).Timeline(t.Context(), &old, Call{}, from, to, from)
	if err != nil {
		t.Fatal(err)
	}
	is.Compare(was)
	var got []string
	for _, c := range is.Changes {
		got = append(got, c.Text)
	}
	now := " now goes to voicemail box voicemail_default, not to phone number +14155552673"
	if want := "Thu Nov 26 09:00–17:00" + now + "|Fri Nov 27 09:00–10:00" + now + "|Fri Nov 27 14:00–17:00" + now; strings.Join(got, "|") != want {
		t.Errorf("%s", strings.Join(got, "|"))
	}
}

// At every minute a timeline says what a call at that minute would find, also
// where it is handed to a flow that leads nowhere.
func TestTimelineAgreesWithEveryMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCalendar(t)
		r, there := drawTimeRange(t), drawTimeRange(t)
		f := &CallFlow{ID: "cf", Name: "cf", Active: true, Routing: []Rule{
			{Pattern: "*", Destination: "a", DestinationType: ToHangup, Conditions: &Conditions{TimeRange: &r}},
			{Pattern: "*", Destination: "cf2", DestinationType: ToFlow, Conditions: &Conditions{Calendar: "c"}},
		}}
		otherwise, last := rapid.Bool().Draw(t, "fallback"), rapid.Bool().Draw(t, "last")
		if otherwise {
			f.Routing[1].Fallback = &Fallback{Action: ToVoicemail, ActionID: DefaultBoxID}
		}
		if last {
			f.Routing = append(f.Routing, Rule{Pattern: "*", Destination: "d", DestinationType: ToHangup})
		}
		next := &CallFlow{ID: "cf2", Name: "cf2", Active: rapid.Bool().Draw(t, "active"), PhoneNumber: "+14155552671", Routing: []Rule{
			{Pattern: "*", Destination: "b", DestinationType: ToHangup, Conditions: &Conditions{TimeRange: &there}},
		}}
		plan, problems := NewPlan(Nouns{Flows: []*CallFlow{f, next}, Calendars: []*Calendar{c}})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		from := time.Date(2026, rapid.SampledFrom([]time.Month{1, 3, 10}).Draw(t, "month"), rapid.IntRange(1, 30).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
		to := from.Add(30 * time.Hour)
		line, err := plan.Timeline(t.Context(), f, Call{}, from, to, from)
		if err != nil {
			t.Fatal(err)
		}
		open := func(r TimeRange, flow string, at time.Time) bool {
			return newOracle(r).open(at, plan.flows[flow].rules[0].conditions[0].(*schedule).zone)
		}
		n := 0
		for at := from; at.Before(to); at = at.Add(7 * time.Minute) {
			for !at.Before(line.Stretches[n].To) {
				n++
			}
			want, given := "", plan.calendars["c"].state(at).open
			switch {
			case open(r, "cf", at):
				want = "a"
			case given && next.Active && open(there, "cf2", at):
				want = "b"
			case given && otherwise:
				want = DefaultBoxID
			case last:
				want = "d"
			}
			if s := line.Stretches[n]; s.Destination != want || (s.Rule == nil) != (want == "") {
				t.Fatalf("at %s %+v, want %q", at, s, want)
			}
		}
	})
}

// Flows that hand over to each other are followed no further than a call is.
func TestTimelineOfACircle(t *testing.T) {
	a := &CallFlow{ID: "cf_a", Name: "a", Active: true, Routing: []Rule{
		{Pattern: "*", Destination: "cf_b", DestinationType: ToFlow, Fallback: &Fallback{Action: ToFlow, ActionID: "cf_b"}},
		{Pattern: "*", Destination: "cf_b", DestinationType: ToFlow},
	}}
	b := &CallFlow{ID: "cf_b", Name: "b", Active: true, PhoneNumber: "+14155552671", Routing: []Rule{
		{Pattern: "*", Destination: "cf_a", DestinationType: ToFlow},
		{Pattern: "*", Destination: "cf_a", DestinationType: ToFlow},
	}}
	plan, problems := NewPlan(Nouns{Flows: []*CallFlow{a, b}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	from := moment(t, "2026-11-25T15:00:00Z")
	line, err := plan.Timeline(t.Context(), a, Call{}, from, from.Add(time.Hour), from)
	if err != nil || len(line.Stretches) != 1 || line.Stretches[0].Rule != nil {
		t.Errorf("%v %+v", err, line)
	}
}

func TestTimelineIsBounded(t *testing.T) {
	n := bigFlow()
	plan, problems := NewPlan(n)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := plan.Timeline(t.Context(), n.Flows[0], Call{}, from, from.Add(MaxTimeline), from); err == nil {
		t.Error("a year of the largest flow was followed")
	}
}

// Nobody waits for the answer any more.
func TestTimelineEndsWithWhoeverAsked(t *testing.T) {
	plan, f := timelinePlan(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := plan.Timeline(ctx, f, Call{}, from, from.Add(MaxTimeline), from); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func BenchmarkTimelineOfAYear(b *testing.B) {
	plan, f := timelinePlan(b)
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		if _, err := plan.Timeline(b.Context(), f, Call{}, from, from.Add(MaxTimeline), from); err != nil {
			b.Fatal(err)
		}
	}
}
