package simulate_test

import (
	"strings"
	"testing"

	"b2bua/flows"
	"b2bua/flows/simulate"
)

// The ways out of a greeting, and an owner who listens, as a real call takes them.
func TestSimulatedVoicemail(t *testing.T) {
	plan, f := bundle(t, `{"call_flows": [{"name": "x", "phone_number": "+14155552671", "routing": [{"pattern": "*", "destination": "vm", "destination_type": "voicemail"}]}],
		"voicemail_boxes": [{"voicemail_box_id": "vm", "name": "x", "number": "700", "pin": "4711",
			"operator": {"destination": "+14155552673", "destination_type": "phone_number"}}]}`)
	for keys, want := range map[string]string{
		"":  "vm; call.initiated call.routed call.answered voicemail.received call.completed",
		"0": "vm +14155552673; call.initiated call.routed call.answered call.dtmf call.routed call.bridged call.completed",
		"*": "vm vm; call.initiated call.routed call.answered call.dtmf call.routed call.completed",
	} {
		g := flows.Given{At: working, From: "+14155552672", To: "+14155552671"}
		if keys != "" {
			g.Digits = keys
		}
		r := simulate.Run(t.Context(), plan, f, g, working, nil)
		var way []string
		for _, taken := range r.Taken {
			way = append(way, taken.Destination)
		}
		if got := strings.Join(way, " ") + "; " + strings.Join(eventNames(r), " "); got != want {
			t.Errorf("%q: %s\nwant %s", keys, got, want)
		}
	}
}
