package simulate_test

import (
	"testing"

	"b2bua/flows/simulate"
)

func TestCoverageOfTests(t *testing.T) {
	plan, f := office(t)
	c := simulate.Cover(t.Context(), plan, f, working, nil)
	took := map[string]int{}
	for _, b := range c.Branches {
		took[b.Path] = len(b.Tests)
	}
	for path, n := range map[string]int{"routing[0]": 0, "routing[1]": 4, "routing[3].fallback": 1, "routing[5]": 1, "routing[5].fallback": 0} {
		if got, there := took[path]; there && got != n {
			t.Errorf("%s: %d tests, want %d", path, got, n)
		}
	}
	if c.Tested == 0 || c.Used != 0 || c.Tested+c.Neither != len(c.Branches) {
		t.Errorf("%+v", c)
	}
	calls := map[string]simulate.Calls{}
	for _, b := range plan.Branches(f) {
		calls[b.Key()] = simulate.Calls{Count: 2, Last: working}
	}
	if len(calls) != len(c.Branches) {
		t.Errorf("%d keys of %d branches", len(calls), len(c.Branches))
	}
	if c := simulate.Cover(t.Context(), plan, f, working, calls); c.Neither != 0 || c.Used != len(c.Branches) || c.Branches[0].Calls != 2 {
		t.Errorf("%+v", c)
	}
}
