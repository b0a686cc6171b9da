package exchange

import (
	"testing"
	"time"

	"b2bua/flows"
	"b2bua/sip"
)

// plan has a flow with a number, a listed number without a flow of its own, and
// two devices.
func testPlan(t *testing.T) *flows.Plan {
	t.Helper()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rule := []flows.Rule{{Pattern: "*", DestinationType: flows.ToHangup}}
	plan, problems := flows.NewPlan(flows.Nouns{
		Flows: []*flows.CallFlow{
			{ID: "cf_line", Name: "Line", Active: true, PhoneNumber: "+14155552671", Routing: rule, CreatedAt: at},
			{ID: "cf_default", Name: "Default", Active: true, Routing: rule, CreatedAt: at},
		},
		Numbers: []*flows.PhoneNumber{{Number: "+14155552680"}},
		Boxes:   []*flows.VoicemailBox{flows.DefaultBox(at)},
		Devices: []*flows.Device{
			{ID: "dev_a", Username: "alice", Password: "alice-secret-1", Number: "+14155550001"},
			{ID: "dev_b", Username: "bob", Password: "bob-secret-1", VoicemailBoxID: flows.DefaultBoxID},
		},
	})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestAnInviteIsAdmittedByTheNumberItDials(t *testing.T) {
	x := &Exchange{}
	trunk, device := &sip.Trunk{ID: "trunk_1"}, &sip.Device{ID: "dev_a", Username: "alice"}
	for _, c := range []struct {
		name   string
		to     string
		device *sip.Device
		flow   string // id of the flow
		direct string // or the device called directly
		code   int    // or the refusal
	}{
		{name: "a flow's number", to: "+14155552671", flow: "cf_line"},
		{name: "without its plus", to: "14155552671", flow: "cf_line"},
		{name: "a listed number goes to the default flow", to: "+14155552680", flow: "cf_default"},
		{name: "a number of somebody else", to: "+14155559999", code: 404},
		{name: "a device is not reached from a trunk", to: "alice", code: 404},
		{name: "a device's number is not reached from a trunk", to: "+14155550001", code: 404},
		{name: "from device to flow", to: "+14155552671", device: device, flow: "cf_line"},
		{name: "from device to device by name", to: "bob", device: device, direct: "dev_b"},
		{name: "from device to device by number", to: "+14155550001", device: device, direct: "dev_a"},
		{name: "a device may not dial out", to: "+442071838750", device: device, code: 403},
		{name: "nor what is no number", to: "conference", device: device, code: 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := &sip.Invitation{From: sip.Party{User: "14155552672"}, To: sip.Party{User: c.to}, Device: c.device}
			if c.device == nil {
				in.Trunk = trunk
			}
			got, code := x.route(testPlan(t), in)
			if code != c.code {
				t.Fatalf("code %d, want %d", code, c.code)
			}
			if code != 0 {
				return
			}
			flow, direct := "", ""
			if got.Flow != nil {
				flow = got.Flow.ID
			}
			if got.Direct != nil {
				direct = got.Direct.Destination
			}
			if flow != c.flow || direct != c.direct {
				t.Errorf("flow %q, direct %q; want %q, %q", flow, direct, c.flow, c.direct)
			}
			if got.From != "+14155552672" {
				t.Errorf("from %q", got.From)
			}
		})
	}
}

func TestAWithheldNumberStaysWithheld(t *testing.T) {
	x := &Exchange{}
	in := &sip.Invitation{From: sip.Party{User: "14155552672"}, To: sip.Party{User: "+14155552671"}, Anonymous: true, Trunk: &sip.Trunk{}}
	got, _ := x.route(testPlan(t), in)
	if got.From != "anonymous" {
		t.Errorf("from %q", got.From)
	}
}
