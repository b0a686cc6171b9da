package exchange

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"b2bua/flows"
)

// A trunk that is deleted and made again begins when the old one has taken its
// registration back: else that would end the new one.
func TestTrunkMadeAgain(t *testing.T) {
	plan := func(trunks ...*flows.Trunk) *flows.Plan {
		p, problems := flows.NewPlan(flows.Nouns{Trunks: trunks})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return p
	}
	trunk := &flows.Trunk{ID: "trunk_a", Name: "a", Probe: -1, Outbound: &flows.TrunkOutbound{URI: "sip:192.0.2.1"}}
	x := newTrunks(nil, time.Now, rand.Float64, slog.New(slog.NewTextHandler(io.Discard, nil)), nil)
	leaving := make(chan struct{})
	old := &line{of: x, id: trunk.ID, cfg: lineConfig{name: "a"}, cancel: func() {}, done: leaving}
	x.lines[trunk.ID] = old
	x.reconcile(plan())
	x.reconcile(plan())
	if x.gone[trunk.ID] != old {
		t.Fatal("a line that still says goodbye is forgotten")
	}
	x.reconcile(plan(trunk))
	made := x.lines[trunk.ID]
	made.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	select {
	case <-made.done:
		t.Error("the new line did not wait for the old one")
	case <-ctx.Done():
	}
	close(leaving)
	x.close()
	if x.reconcile(plan()); len(x.lines)+len(x.gone) > 1 {
		t.Errorf("%d lines, %d gone", len(x.lines), len(x.gone))
	}
}
