package flows

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// draw changes one list: a noun goes, comes, or is replaced.
func drawChange[T any](t *rapid.T, list []*T, make func(n int) *T) []*T {
	next := slices.Clone(list)
	i := rapid.IntRange(0, len(next)).Draw(t, "place")
	switch {
	case i == len(next):
		return append(next, make(rapid.IntRange(0, 5).Draw(t, "n")))
	case rapid.Bool().Draw(t, "goes"):
		return slices.Delete(next, i, i+1)
	}
	next[i] = make(rapid.IntRange(0, 5).Draw(t, "n"))
	return next
}

func changed(t *rapid.T, n Nouns) Nouns {
	number := func(i int) string { return fmt.Sprintf("+1415555267%d", i) }
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		n.Flows = drawChange(t, n.Flows, func(i int) *CallFlow {
			f := &CallFlow{ID: fmt.Sprint("cf_", i), Name: "x", Active: rapid.Bool().Draw(t, "active"), CreatedAt: time.Unix(int64(rapid.IntRange(0, 3).Draw(t, "at")), 0),
				Routing: []Rule{{Pattern: "*", DestinationType: ToHangup, Conditions: &Conditions{Calendar: fmt.Sprint("cal_", i%3)}}}}
			if rapid.Bool().Draw(t, "numbered") {
				f.PhoneNumber = number(rapid.IntRange(0, 3).Draw(t, "did"))
			}
			return f
		})
	case 1:
		n.Menus = drawChange(t, n.Menus, func(i int) *IVRMenu { return &IVRMenu{ID: fmt.Sprint("menu_", i), Name: "x", Prompt: "x"} })
	case 2:
		n.Boxes = drawChange(t, n.Boxes, func(i int) *VoicemailBox {
			b := &VoicemailBox{ID: fmt.Sprint("box_", i), Name: "x"}
			if rapid.Bool().Draw(t, "numbered") {
				b.Number = fmt.Sprint(70 + rapid.IntRange(0, 3).Draw(t, "number"))
			}
			b.ApplyDefaults()
			return b
		})
	case 3:
		n.Devices = drawChange(t, n.Devices, func(i int) *Device {
			return &Device{ID: fmt.Sprint("dev_", i), Username: fmt.Sprint("u", rapid.IntRange(0, 5).Draw(t, "user")), Password: "secret-secret", Number: number(i)}
		})
	case 4:
		n.Numbers = drawChange(t, n.Numbers, func(i int) *PhoneNumber { return &PhoneNumber{Number: number(i)} })
	case 5:
		n.Calendars = drawChange(t, n.Calendars, func(i int) *Calendar {
			return &Calendar{ID: fmt.Sprint("cal_", i%3), Name: "x", Timezone: rapid.SampledFrom([]string{"UTC", "Europe/Berlin"}).Draw(t, "zone")}
		})
	case 7:
		n.Queues = drawChange(t, n.Queues, func(i int) *Queue { return &Queue{ID: fmt.Sprint("queue_", i), Name: "x"} })
	case 6:
		n.Trunks = drawChange(t, n.Trunks, func(i int) *Trunk {
			return &Trunk{ID: fmt.Sprint("trunk_", i), Name: fmt.Sprint(i), Hosts: []string{fmt.Sprintf("10.0.0.%d", i)}}
		})
	}
	return n
}

// bare is a plan without what it remembers of its making.
func bare(p *Plan) Plan {
	b := *p
	b.nouns, b.warned, b.presenters, b.secrets = Nouns{}, nil, nil, nil
	if len(b.defaultFlow) == 0 {
		b.defaultFlow = nil
	}
	return b
}

// However a plan came about, one change after the other, it is the plan of its
// nouns; and so are its problems.
func TestPlanMadeOfChangesIsThatMadeAnew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var n Nouns
		p, _ := NewPlan(n)
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			next := changed(t, n)
			step, problems := p.Next(next)
			whole, same := NewPlan(next)
			if (len(problems) == 0) != (len(same) == 0) {
				t.Fatalf("%v, made anew %v", problems, same)
			}
			if step == nil {
				continue // refused: the store keeps what it had
			}
			if !reflect.DeepEqual(bare(step), bare(whole)) {
				t.Fatalf("%+v\nmade anew\n%+v", bare(step), bare(whole))
			}
			p, n = step, next
		}
	})
}

// tenThousand are flows of a kind that a large customer has.
func tenThousand() (n Nouns) {
	for i := range 10_000 {
		n.Flows = append(n.Flows, branch(i))
	}
	n.Calendars = []*Calendar{{ID: "cal", Name: "x", Timezone: "America/New_York", Dates: []CalendarDate{{Name: "Christmas", Date: "12-25", Closed: true}}}}
	return n
}

func branch(i int) *CallFlow {
	hours := &TimeRange{Start: "09:00", End: "17:00", Timezone: "America/New_York", Days: []string{"MON", "TUE", "WED", "THU", "FRI"}}
	return &CallFlow{ID: fmt.Sprintf("cf_%05d", i), Name: "x", PhoneNumber: fmt.Sprintf("+1415%07d", i), Active: true, Routing: []Rule{
		{Pattern: "*", Destination: "voicemail_default", DestinationType: ToVoicemail, Conditions: &Conditions{BlockedNumbers: []string{"+14155552699", "+1900*"}}},
		{Pattern: "*", Destination: "ivr_main", DestinationType: ToMenu, Conditions: &Conditions{TimeRange: hours, Calendar: "cal"}},
		{Pattern: "1", Destination: "+14155552673", DestinationType: ToNumber, Fallback: &Fallback{Timeout: 30, Action: ToVoicemail, ActionID: "voicemail_default"}},
		{Pattern: "2[0-9]", Destination: "+14155552674", DestinationType: ToNumber},
		{Pattern: "*", Destination: "voicemail_default", DestinationType: ToVoicemail},
	}}
}

// BenchmarkCompile makes a plan of ten thousand flows.
func BenchmarkCompile(b *testing.B) {
	n := tenThousand()
	b.ReportAllocs()
	for b.Loop() {
		if _, problems := NewPlan(n); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}

// BenchmarkReplace replaces one flow in a plan of ten thousand.
func BenchmarkReplace(b *testing.B) {
	n := tenThousand()
	p, problems := NewPlan(n)
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	b.ReportAllocs()
	for b.Loop() {
		n.Flows = slices.Clone(n.Flows)
		n.Flows[5000] = branch(5000)
		if p, problems = p.Next(n); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}
