package simulate_test

import (
	"slices"
	"testing"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/flows/simulate"
)

// What comes of a queue is said by its id, in the words of its exit results.
func TestSimulatedQueue(t *testing.T) {
	plan, f := bundle(t, `{"call_flows": [{"name": "x", "routing": [{"pattern": "*", "destination": "sales", "destination_type": "queue",
			"fallback": {"action": "voicemail", "action_id": "voicemail_default"}}]}],
		"queues": [{"queue_id": "sales", "name": "Sales", "exit_key": "#", "members": [{"destination": "+14155552673", "destination_type": "phone_number"}]}]}`)
	for outcome, want := range map[string]struct {
		exit, last string
		answered   bool
	}{
		"": {"connected", "sales", true}, "connected": {"connected", "sales", true}, "transferred": {"connected", "sales", true},
		"timeout": {"timeout", "voicemail_default", true}, "full": {"full", "voicemail_default", true},
		"empty": {"empty", "voicemail_default", true}, "exit_key": {"exit_key", "voicemail_default", true},
		"error": {"error", "voicemail_default", true}, "abandoned": {"abandoned", "sales", true},
	} {
		g := flows.Given{From: "+14155550100"}
		if outcome != "" {
			g.Outcomes = map[string]flows.Results{"sales": {outcome}}
		}
		if p := g.Validate(); len(p) > 0 {
			t.Fatal(p)
		}
		r := simulate.Run(t.Context(), plan, f, g, working, nil)
		exit := ""
		for _, e := range r.Events {
			if d, ok := e.Data.(*events.Dequeued); ok {
				exit = d.Result
			}
		}
		if exit != want.exit || r.Outcome.Destination != want.last || r.Outcome.Answered != want.answered {
			t.Errorf("%q: exit %q, %+v", outcome, exit, r.Outcome)
		}
		if waited := slices.Contains(eventNames(r), "call.queued"); waited != (outcome != "full" && outcome != "empty") {
			t.Errorf("%q: %v", outcome, eventNames(r))
		}
	}
	if r := simulate.Run(t.Context(), plan, f, flows.Given{Digits: "#"}, working, nil); r.Outcome.Destination != "voicemail_default" || r.Outcome.Unused != "" {
		t.Errorf("%+v", r.Outcome)
	}
}

// The queue of the first start has no members: its callers go on.
func TestSimulatedQueueWithoutMembers(t *testing.T) {
	plan, f := bundle(t, `{"name": "x", "routing": [{"pattern": "*", "destination": "queue_support", "destination_type": "queue"}]}`)
	if r := simulate.Run(t.Context(), plan, f, flows.Given{}, working, nil); r.Outcome.Result != "empty" || r.Outcome.SIPCode != 480 {
		t.Errorf("%+v", r.Outcome)
	}
}
