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
		texts := make([]string, rules)
		for i := range texts {
			texts[i] = "* voicemail voicemail_default"
		}
		f := routing(b, "cf", texts...)
		for i := range rules - 1 {
			f.Routing[i].Conditions = &flows.Conditions{TimeRange: &flows.TimeRange{Start: "01:00", End: "02:00", Timezone: "America/New_York"}}
		}
		plan := town(b, f)
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
