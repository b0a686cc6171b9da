package flows_test

import (
	"fmt"
	"testing"

	"b2bua/flows"
)

// BenchmarkArrival walks a call to the last of many conditional rules, with its
// whole trace.
func BenchmarkArrival(b *testing.B) {
	for _, rules := range []int{4, 100} {
		plan, f := manyRules(b, rules)
		b.Run(fmt.Sprintf("%d rules", rules), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s := newStory(b, plan, f)
				flows.Run(s.ctx, s.env())
				s.hangUp()
			}
		})
	}
}

// quick is a caller who keeps the trace as a call does: unread.
type quick struct {
	story
	kept []flows.Step
}

func (q *quick) Note(s flows.Step) { q.kept = append(q.kept, s) }

// BenchmarkRoute is the way of a call to the last of a hundred rules, with its
// trace, which is put into words when somebody reads it or the call is over.
func BenchmarkRoute(b *testing.B) {
	plan, f := manyRules(b, 100)
	b.ReportAllocs()
	for b.Loop() {
		q := &quick{story: *newStory(b, plan, f)}
		env := q.env()
		env.Caller = q
		flows.Run(q.ctx, env)
		q.hangUp()
	}
}

func manyRules(b *testing.B, rules int) (*flows.Plan, *flows.CallFlow) {
	texts := make([]string, rules)
	for i := range texts {
		texts[i] = "* voicemail voicemail_default"
	}
	f := routing(b, "cf", texts...)
	for i := range rules - 1 {
		f.Routing[i].Conditions = &flows.Conditions{TimeRange: &flows.TimeRange{Start: "01:00", End: "02:00", Timezone: "America/New_York"}}
	}
	return town(b, f), f
}
