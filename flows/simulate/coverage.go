package simulate

import (
	"context"
	"slices"
	"time"

	"b2bua/flows"
)

// Coverage tells which rules, options and fallbacks of a flow have been taken.
type Coverage struct {
	CallFlowID string   `json:"call_flow_id" doc:"The flow"`
	Revision   int      `json:"flow_revision,omitempty" doc:"Its revision"`
	Branches   []Branch `json:"branches" doc:"Everything that can send a call on"`
	Tested     int      `json:"tested" doc:"How many of them the tests take"`
	Used       int      `json:"used" doc:"How many of them calls have taken"`
	Neither    int      `json:"neither" doc:"How many nobody has taken yet"`
}

// Branch is a rule, an option, a fallback or an overflow.
type Branch struct {
	Path   string     `json:"path" doc:"Where it stands: routing[2], routing[2].fallback, ivr_menus[main].options[0], ivr_menus[main].fallback, queues[sales].overflow"`
	Text   string     `json:"text" doc:"What it is"`
	Tests  []string   `json:"tests" doc:"The tests that take it, by name"`
	Calls  int        `json:"calls" doc:"How many calls took it, in this and earlier revisions of the flow, as long as it says the same; a call may take it more than once"`
	LastAt *time.Time `json:"last_at,omitempty" doc:"When the last of them did"`
}

// Calls is what calls have done with a branch.
type Calls struct {
	Count int
	Last  time.Time
}

// Cover runs the tests of a flow and puts what they take beside what calls have
// taken, which is given by the key of the branch.
func Cover(ctx context.Context, plan *flows.Plan, f *flows.CallFlow, now time.Time, calls map[string]Calls) Coverage {
	c := Coverage{CallFlowID: f.ID, Revision: f.Revision, Branches: []Branch{}}
	tests := map[string][]string{}
	for _, t := range f.Tests {
		for _, r := range Run(ctx, plan, f, t.Given, now, nil).Taken {
			if path := r.Branch.Path(); path != "" && r.FlowID == f.ID && !slices.Contains(tests[path], t.Name) {
				tests[path] = append(tests[path], t.Name)
			}
		}
	}
	for _, b := range plan.Branches(f) {
		one := Branch{Path: b.Path(), Text: b.Text(), Tests: append([]string{}, tests[b.Path()]...)}
		if took, ok := calls[b.Key()]; ok {
			one.Calls, one.LastAt = took.Count, &took.Last
		}
		c.Tested += min(1, len(one.Tests))
		c.Used += min(1, one.Calls)
		if one.Calls == 0 && len(one.Tests) == 0 {
			c.Neither++
		}
		c.Branches = append(c.Branches, one)
	}
	return c
}
