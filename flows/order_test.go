package flows_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"b2bua/flows"
)

func weighted(priority, weight, n int) *flows.Trunk {
	return &flows.Trunk{ID: strconv.Itoa(n), Outbound: &flows.TrunkOutbound{URI: "sip:192.0.2.1", Priority: priority, Weight: weight}}
}

// Whatever the weights: nobody is lost, priorities are kept, and trunks without
// weights stay where they are.
func TestOrderKeepsPriorities(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var trunks []*flows.Trunk
		for i := range rapid.IntRange(0, 8).Draw(t, "trunks") {
			weight := rapid.SampledFrom([]int{0, 0, 1, 10, 65535}).Draw(t, "weight")
			trunks = append(trunks, weighted(rapid.IntRange(0, 2).Draw(t, "priority"), weight, i))
		}
		before := slices.Clone(trunks)
		got := flows.Order(trunks, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") })
		if !slices.Equal(trunks, before) {
			t.Fatal("the plan's own list was changed")
		}
		seen := map[*flows.Trunk]bool{}
		for i, one := range got {
			seen[one] = true
			if i > 0 && got[i-1].Outbound.Priority > one.Outbound.Priority {
				t.Fatalf("priority %d before %d", got[i-1].Outbound.Priority, one.Outbound.Priority)
			}
		}
		if len(seen) != len(trunks) {
			t.Fatalf("%d of %d trunks", len(seen), len(trunks))
		}
	})
	plain := []*flows.Trunk{weighted(1, 0, 1), weighted(1, 0, 2), weighted(0, 0, 3)}
	never := func(int) int { panic("nothing to draw") }
	if got := flows.Order(plain, never); got[0] != plain[2] || got[1] != plain[0] || got[2] != plain[1] {
		t.Errorf("without weights: %v", got)
	}
}

// The first tried of each call is distributed as the weights say.
func TestOrderSharesByWeight(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	trunks := []*flows.Trunk{weighted(1, 10, 0), weighted(1, 30, 1), weighted(1, 60, 2), weighted(1, 0, 3), weighted(0, 0, 4)}
	const calls = 20000
	first, second := map[string]int{}, 0
	for range calls {
		got := flows.Order(trunks, random.IntN)
		if got[0].ID != "4" {
			t.Fatalf("priority 0 is not first: %s", got[0].ID)
		}
		first[got[1].ID]++
		if got[1].ID == "2" && got[2].ID == "1" {
			second++
		}
	}
	for id, share := range map[string]float64{"0": 0.10, "1": 0.30, "2": 0.60, "3": 0} {
		if got := float64(first[id]) / calls; math.Abs(got-share) > 0.02 {
			t.Errorf("trunk %s was first in %.3f of the calls, want %.2f", id, got, share)
		}
	}
	if got := float64(second) / float64(first["2"]); math.Abs(got-0.75) > 0.04 { // 30 of the 40 left
		t.Errorf("the second was drawn in %.3f", got)
	}
	if first["3"] == 0 {
		t.Error("a trunk without weight is never tried first; RFC 2782 gives it a small chance")
	}
}
