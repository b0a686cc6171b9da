package prompts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"b2bua/flows"
)

func menus(t *testing.T, prompts ...string) *flows.Plan {
	t.Helper()
	var n flows.Nouns
	for i, p := range prompts {
		n.Menus = append(n.Menus, &flows.IVRMenu{ID: fmt.Sprint("menu_", i), Name: "x", Prompt: p})
	}
	plan, problems := flows.NewPlan(n)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return plan
}

// What is saved is spoken once; what failed is tried with the next change, and a
// warning until then. A crowd of changes waits for nobody.
func TestWhatIsSavedIsSpokenAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		broken := true
		w := NewWarmer(func(_ context.Context, s flows.Spoken) error {
			asked = append(asked, s.Ref)
			if s.Ref == "two" && broken {
				return errors.New("out of order")
			}
			return nil
		}, told)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		expect := func(plan *flows.Plan, want []string, warned int) {
			t.Helper()
			asked = nil
			w.Planned(plan)
			synctest.Wait()
			if !slices.Equal(asked, want) {
				t.Errorf("spoke %q instead of %q", asked, want)
			}
			if got := w.Warnings(plan.Spoken()); len(got) != warned || warned > 0 && (got[0].Path != "prompt" || got[0].Code != flows.WarnNoSound) {
				t.Errorf("warned of %v", got)
			}
		}
		expect(menus(t, "one", "two", "prompt_kept", "one"), []string{"one", "two"}, 1)
		expect(menus(t, "one", "two"), []string{"two"}, 1)
		broken = false
		expect(menus(t, "one", "two", "three"), []string{"two", "three"}, 0)
		expect(menus(t, "one", "two", "three"), nil, 0)
		broken = true
		expect(menus(t, "one"), nil, 0)
		expect(menus(t, "two"), []string{"two"}, 1)
		expect(menus(t, "three"), []string{"three"}, 0)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for range 100 {
			w.Planned(menus(t, "one"))
		}
	})
}
