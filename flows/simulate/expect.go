package simulate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"b2bua/flows"
)

// Verdict is what a test of a flow came to.
type Verdict struct {
	Name     string   `json:"name" doc:"Of the test"`
	Passed   bool     `json:"passed" doc:"Whether everything came as expected"`
	Problems []string `json:"problems,omitempty" doc:"What did not"`
	Result   Result   `json:"result" doc:"The simulated call"`
}

// Report is what the tests of a flow came to.
type Report struct {
	CallFlowID string    `json:"call_flow_id" doc:"The flow"`
	Revision   int       `json:"flow_revision,omitempty" doc:"Its revision; none of a draft"`
	Passed     int       `json:"passed" doc:"How many tests passed"`
	Failed     int       `json:"failed" doc:"How many did not"`
	Tests      []Verdict `json:"tests" doc:"Each of them"`
}

// Test runs the tests that are kept with a flow. Now is the time of tests that
// name none.
func Test(ctx context.Context, plan *flows.Plan, f *flows.CallFlow, now time.Time) Report {
	report := Report{CallFlowID: f.ID, Revision: f.Revision, Tests: []Verdict{}}
	for _, t := range f.Tests {
		v := Verdict{Name: t.Name, Result: Run(ctx, plan, f, t.Given, now, nil)}
		v.Problems = judge(t.Expect, v.Result)
		if v.Passed = len(v.Problems) == 0; v.Passed {
			report.Passed++
		} else {
			report.Failed++
		}
		report.Tests = append(report.Tests, v)
	}
	return report
}

// Problems are the failed tests as problems of the flow, to refuse it with.
func (r Report) Problems() (list flows.Problems) {
	for i, t := range r.Tests {
		if !t.Passed {
			list = append(list, flows.Problem{Path: fmt.Sprintf("tests[%d]", i), Slug: flows.SlugInvalidRequest,
				Message: fmt.Sprintf("the test %q fails: %s", t.Name, strings.Join(t.Problems, "; "))})
		}
	}
	return list
}

// judge tells what of a result is not as expected.
func judge(e flows.Expect, r Result) (problems []string) {
	want := func(what, want, got string) {
		if want != "" && want != got {
			problems = append(problems, fmt.Sprintf("%s is %q, expected %q", what, got, want))
		}
	}
	var last flows.Routing
	if n := len(r.Taken); n > 0 {
		last = r.Taken[n-1]
	}
	want("destination", e.Destination, last.Destination)
	want("destination_type", string(e.DestinationType), string(last.DestinationType))
	want("by", e.By, last.By)
	want("result", e.Result, r.Outcome.Result)
	want("reason", e.Reason, r.Outcome.Reason)
	want("status", e.Status, r.Outcome.Status)
	if e.Rule != nil && (last.RuleIndex == nil || *last.RuleIndex != *e.Rule) {
		got := "none"
		if last.RuleIndex != nil {
			got = fmt.Sprint(*last.RuleIndex)
		}
		problems = append(problems, fmt.Sprintf("rule is %s, expected %d", got, *e.Rule))
	}
	return append(problems, way(e, r)...)
}

// way looks at the destinations that the call passed through.
func way(e flows.Expect, r Result) (problems []string) {
	passed := make([]string, len(r.Taken))
	for i, t := range r.Taken {
		passed[i] = t.Destination
	}
	rest := passed
	for _, to := range e.Visits {
		i := slices.Index(rest, to)
		if i < 0 {
			problems = append(problems, fmt.Sprintf("the call does not come to %s in this order; it goes to %s", to, strings.Join(passed, ", ")))
			break
		}
		rest = rest[i+1:]
	}
	for _, to := range e.Avoids {
		if slices.Contains(passed, to) {
			problems = append(problems, "the call comes to "+to)
		}
	}
	return problems
}
