package flows

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// bigFlow is as large as a flow may be, with conditions of every sort.
func bigFlow() Nouns {
	f := &CallFlow{ID: "cf", Name: "cf", Active: true, PhoneNumber: "+14155552671"}
	for i := range maxRules {
		r := Rule{Pattern: fmt.Sprintf("%03d", i), Destination: DefaultBoxID, DestinationType: ToVoicemail}
		if i%2 == 0 {
			r.Pattern = "*"
			r.Conditions = &Conditions{
				TimeRange:      &TimeRange{Start: fmt.Sprintf("%02d:%02d", i%24, i%60), End: fmt.Sprintf("%02d:%02d", (i+7)%24, i%59), Timezone: oracleZones[i%len(oracleZones)]},
				BlockedNumbers: []string{fmt.Sprintf("+1415555%04d", i), fmt.Sprintf("+49%d*", i)},
			}
		}
		f.Routing = append(f.Routing, r)
	}
	f.Routing = append(f.Routing[:maxRules-1], Rule{Pattern: "*", Destination: "m", DestinationType: ToMenu})
	return Nouns{Flows: []*CallFlow{f}, Menus: []*IVRMenu{{ID: "m", Name: "m", Prompt: "Press 1."}}}
}

// The largest flow is looked at within bounds: some hundred thousand conditions.
func BenchmarkLintOfTheLargestFlow(b *testing.B) {
	plan, problems := NewPlan(bigFlow())
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	for b.Loop() {
		plan.Lint("cf")
	}
}

// covered agrees with trying out all digits.
func TestCoveredAgreesWithTryingAllDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) pattern {
			text := ""
			for range rapid.IntRange(1, 3).Draw(t, name) {
				text += rapid.SampledFrom([]string{"1", "2", "X", "[0-4]", "[5-9]", "[13579]", "[02468]", "#", "[0-9*#]"}).Draw(t, "key")
			}
			p, err := compileRule(text)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		p := draw("p")
		var list []pattern
		for range rapid.IntRange(0, 6).Draw(t, "n") {
			list = append(list, draw("q"))
		}
		all := newPatterns(list)
		want := true
		var try func(digits string)
		try = func(digits string) {
			if len(digits) == len(p.at) {
				_, found := all.Find(digits)
				want = want && found
				return
			}
			for s := range len(symbols) {
				if p.at[len(digits)]&(1<<s) != 0 {
					try(digits + symbols[s:s+1])
				}
			}
		}
		try("")
		if got := covered(p, list); got != want {
			t.Fatalf("%v by %v: %v", p, list, got)
		}
		if slices.ContainsFunc(list, func(q pattern) bool { return covered(p, []pattern{q}) }) && !want {
			t.Fatal("one covers it and all do not")
		}
	})
}
