package call

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"b2bua/flows"
)

func limited(id string, calls int, cps float64) *flows.Trunk {
	return &flows.Trunk{ID: id, Outbound: &flows.TrunkOutbound{URI: "sip:192.0.2.1", MaxCalls: calls, MaxCPS: cps}}
}

func TestTrunkMaxCalls(t *testing.T) {
	var l trunkLimits
	now := time.Now()
	two := limited("a", 2, 0)
	first, ok1 := l.take(two, now)
	_, ok2 := l.take(two, now)
	if _, ok3 := l.take(two, now); !ok1 || !ok2 || ok3 {
		t.Fatalf("of three calls taken: %v %v %v", ok1, ok2, ok3)
	}
	if _, ok := l.take(limited("b", 2, 0), now); !ok {
		t.Error("one trunk's calls fill another")
	}
	first()
	first() // gives nothing more back
	if _, ok := l.take(two, now); !ok {
		t.Error("a place given back cannot be taken")
	}
	if _, ok := l.take(two, now); ok {
		t.Error("a place given back twice was taken twice")
	}
	// Another plan, another limit: the calls that are there count.
	if _, ok := l.take(limited("a", 3, 0), now); !ok {
		t.Error("a raised limit is not obeyed")
	}
	if _, ok := l.take(limited("a", 1, 0), now); ok {
		t.Error("a lowered limit is not obeyed")
	}
}

func TestTrunkWithoutLimits(t *testing.T) {
	var l trunkLimits
	now := time.Now()
	var releases []func()
	for range 50 {
		for _, trunk := range []*flows.Trunk{limited("a", 0, 0), {ID: "in"}} {
			release, ok := l.take(trunk, now)
			if !ok {
				t.Fatal("refused without a limit")
			}
			releases = append(releases, release)
		}
	}
	if _, ok := l.take(limited("a", 50, 0), now); ok {
		t.Error("calls from before the limit do not count")
	}
	if _, ok := l.take(limited("a", 0, 1), now); !ok {
		t.Error("a rate that was just given is used up already")
	}
	for _, release := range releases {
		release()
	}
	if got := l.used["a"].calls; got != 1 {
		t.Errorf("%d calls are left, want 1", got)
	}
}

func TestTrunkMaxCPS(t *testing.T) {
	for _, tc := range []struct {
		cps  float64
		at   []time.Duration // when a call is tried
		want string          // which are taken
	}{
		{1, []time.Duration{0, 0, 999 * time.Millisecond, time.Second, time.Second}, "yes no no yes no"},
		{0.1, []time.Duration{0, time.Second, 9 * time.Second, 10 * time.Second, 11 * time.Second}, "yes no no yes no"},
		{2.5, []time.Duration{0, 0, 0, 0, 400 * time.Millisecond, 400 * time.Millisecond}, "yes yes yes no yes no"},
		{3, []time.Duration{0, 0, 0, 0, time.Hour, time.Hour, time.Hour, time.Hour}, "yes yes yes no yes yes yes no"},
		{1, []time.Duration{5 * time.Second, 4 * time.Second, 6 * time.Second}, "yes no yes"}, // told out of order
		{10, []time.Duration{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10 * time.Millisecond, 20 * time.Millisecond, 30 * time.Millisecond, 40 * time.Millisecond,
			50 * time.Millisecond, 60 * time.Millisecond, 70 * time.Millisecond, 80 * time.Millisecond, 90 * time.Millisecond, 100 * time.Millisecond},
			"yes yes yes yes yes yes yes yes yes yes no no no no no no no no no no yes"}, // ten tenths are one
	} {
		var l trunkLimits
		start, got := time.Now(), ""
		for i, at := range tc.at {
			if i > 0 {
				got += " "
			}
			release, ok := l.take(limited("a", 0, tc.cps), start.Add(at))
			if !ok {
				got += "no"
				continue
			}
			got += "yes"
			release() // an ended call does not give its part of the rate back
		}
		if got != tc.want {
			t.Errorf("%v a second, tried at %v:\ngot  %s\nwant %s", tc.cps, tc.at, got, tc.want)
		}
	}
}

// A call that the number of calls refuses takes nothing of the rate.
func TestTrunkRefusalTakesNothing(t *testing.T) {
	var l trunkLimits
	now := time.Now()
	release, _ := l.take(limited("a", 1, 2), now)
	for range 5 {
		if _, ok := l.take(limited("a", 1, 2), now); ok {
			t.Fatal("more calls than allowed")
		}
	}
	release()
	if _, ok := l.take(limited("a", 1, 2), now); !ok {
		t.Error("refused calls used up the rate")
	}
}

// Whatever is tried when: in no stretch of time are there more calls than the
// burst and the rate allow, and never more at once than the limit.
func TestTrunkLimitsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most, cps := rapid.IntRange(1, 5).Draw(t, "calls"), rapid.Float64Range(0.05, 20).Draw(t, "cps")
		trunk := limited("a", most, cps)
		var l trunkLimits
		start := time.Now()
		now := start
		var open []func()
		var taken []time.Time
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "later")))
			if len(open) > 0 && rapid.Bool().Draw(t, "ends") {
				open[0]()
				open = open[1:]
			}
			if release, ok := l.take(trunk, now); ok {
				open, taken = append(open, release), append(taken, now)
			}
			if len(open) > most {
				t.Fatalf("%d calls at once", len(open))
			}
		}
		for i := range taken {
			for j := i; j < len(taken); j++ {
				allowed := math.Max(1, math.Ceil(cps)) + cps*taken[j].Sub(taken[i]).Seconds()
				if float64(j-i+1) > allowed+1e-6 {
					t.Fatalf("%d calls in %v", j-i+1, taken[j].Sub(taken[i]))
				}
			}
		}
	})
}

func TestTrunkLimitsTakenAtOnce(t *testing.T) {
	var l trunkLimits
	now := time.Now()
	var taken atomic.Int32
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			if _, ok := l.take(limited("a", 10, 0), now); ok {
				taken.Add(1)
			}
			release, ok := l.take(limited("b", 0, 0), now.Add(time.Duration(i)))
			if !ok {
				t.Error("refused without a limit")
				return
			}
			release()
		})
	}
	wg.Wait()
	if taken.Load() != 10 || l.used["a"].calls != 10 || l.used["b"].calls != 0 {
		t.Errorf("%d taken; %+v, %+v", taken.Load(), l.used["a"], l.used["b"])
	}
}

// Trunks come and go with the plans; what is kept of them does not pile up.
func TestTrunkLimitsForget(t *testing.T) {
	var l trunkLimits
	now := time.Now()
	held, _ := l.take(limited("held", 1, 0), now)
	for i := range 1000 {
		release, ok := l.take(limited(fmt.Sprint("t", i), 1, 1), now)
		if !ok {
			t.Fatal("a new trunk is full")
		}
		release()
		now = now.Add(2 * time.Second)
	}
	if n := len(l.used); n > 3 {
		t.Errorf("%d trunks are kept", n)
	}
	if _, ok := l.take(limited("held", 1, 0), now); ok {
		t.Error("a trunk with a call on it was forgotten")
	}
	held()
	if _, ok := l.take(limited("held", 1, 0), now); !ok {
		t.Error("a place given back cannot be taken")
	}
}
