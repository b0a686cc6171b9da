package flows_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"b2bua/flows"
)

// dated is a flow with one rule, made at a second.
func dated(t testing.TB, id, number string, second int64) *flows.CallFlow {
	t.Helper()
	f := routing(t, id, "* voicemail voicemail_default")
	f.PhoneNumber, f.CreatedAt = number, time.Unix(second, 0)
	return f
}

func mustPlan(t testing.TB, n flows.Nouns) *flows.Plan {
	t.Helper()
	plan, problems := flows.NewPlan(n)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return plan
}

func TestWhichFlowTakesANumber(t *testing.T) {
	inactive := dated(t, "cf_off", "+14155550104", 1)
	inactive.Active = false
	plan := mustPlan(t, flows.Nouns{
		Flows: []*flows.CallFlow{
			dated(t, "cf_younger", "", 20), dated(t, "cf_zero", "", 10), dated(t, "cf_number", "+14155550101", 30), inactive,
		},
		Numbers: []*flows.PhoneNumber{
			{Number: "+14155550101", CallFlowID: "cf_younger"}, // the flow's own phone_number comes first
			{Number: "+14155550102", CallFlowID: "cf_younger"},
			{Number: "+14155550103"},
			{Number: "+14155550105", CallFlowID: "cf_off"},
			{Number: "+14155550106", CallFlowID: "cf_nowhere"},
		},
	})
	for did, want := range map[string]string{
		"+14155550101": "cf_number",
		"+14155550102": "cf_younger",
		"+14155550103": "cf_zero",
		"+14155550105": "cf_zero",
		"+14155550106": "cf_zero",
		"14155550101":  "cf_number", // carriers that leave out the +
		"+14155550104": "",          // only an inactive flow has it
		"+14155550199": "",
		"alice":        "",
		"":             "",
		"+":            "",
	} {
		flow, owned := plan.Lookup(did)
		if owned != (want != "") || owned && flow.ID != want {
			t.Errorf("%q: got %v, owned %v, want %q", did, flow, owned, want)
		}
	}

	bare := mustPlan(t, flows.Nouns{Numbers: []*flows.PhoneNumber{{Number: "+14155550103"}}})
	if flow, owned := bare.Lookup("+14155550103"); flow != nil || !owned {
		t.Errorf("an owned number without any flow: %v %v", flow, owned)
	}
}

func TestConflicts(t *testing.T) {
	twice := func(number string, active bool) []*flows.CallFlow {
		other := dated(t, "cf_b", number, 2)
		other.Active = active
		return []*flows.CallFlow{dated(t, "cf_a", number, 1), other}
	}
	for what, c := range map[string]struct {
		n    flows.Nouns
		path string // "" means no conflict
	}{
		"two active flows with one number":       {flows.Nouns{Flows: twice("+14155550101", true)}, "phone_number"},
		"one of them inactive":                   {flows.Nouns{Flows: twice("+14155550101", false)}, ""},
		"two active flows without a number":      {flows.Nouns{Flows: twice("", true)}, ""},
		"one flow id twice":                      {flows.Nouns{Flows: []*flows.CallFlow{dated(t, "cf", "", 1), dated(t, "cf", "", 2)}}, "call_flow_id"},
		"one menu id twice":                      {flows.Nouns{Menus: []*flows.IVRMenu{{ID: "m", Name: "a", Prompt: "x"}, {ID: "m", Name: "b", Prompt: "x"}}}, "menu_id"},
		"one box id twice":                       {flows.Nouns{Boxes: []*flows.VoicemailBox{{ID: "b", Name: "a"}, {ID: "b", Name: "b"}}}, "voicemail_box_id"},
		"one trunk id twice":                     {flows.Nouns{Trunks: []*flows.Trunk{{ID: "t", Name: "a", Hosts: []string{"::1"}}, {ID: "t", Name: "b", Hosts: []string{"::1"}}}}, "trunk_id"},
		"one number listed twice":                {flows.Nouns{Numbers: []*flows.PhoneNumber{{Number: "+14155550101"}, {Number: "+14155550101"}}}, "phone_number"},
		"one username for two devices":           {flows.Nouns{Devices: []*flows.Device{{ID: "a", Username: "u", Password: "x"}, {ID: "b", Username: "u", Password: "x"}}}, "username"},
		"one username for a device and a trunk":  {flows.Nouns{Devices: []*flows.Device{{ID: "a", Username: "u", Password: "x"}}, Trunks: []*flows.Trunk{{ID: "t", Name: "t", Inbound: &flows.TrunkInbound{Username: "u", Password: "x"}}}}, "inbound.username"},
		"one username for two trunks":            {flows.Nouns{Trunks: []*flows.Trunk{{ID: "s", Name: "s", Inbound: &flows.TrunkInbound{Username: "u", Password: "x"}}, {ID: "t", Name: "t", Inbound: &flows.TrunkInbound{Username: "u", Password: "x"}}}}, "inbound.username"},
		"a trunk of one name and a device":       {flows.Nouns{Devices: []*flows.Device{{ID: "a", Username: "u", Password: "x"}}, Trunks: []*flows.Trunk{{ID: "t", Name: "t", Inbound: &flows.TrunkInbound{Username: "v", Password: "x"}}}}, ""},
		"one number for two devices":             {flows.Nouns{Devices: []*flows.Device{{ID: "a", Username: "u", Password: "x", Number: "+14155550101"}, {ID: "b", Username: "v", Password: "x", Number: "+14155550101"}}}, "number"},
		"one device id twice":                    {flows.Nouns{Devices: []*flows.Device{{ID: "a", Username: "u", Password: "x"}, {ID: "a", Username: "v", Password: "x"}}}, "device_id"},
		"devices without numbers and two trunks": {flows.Nouns{Devices: []*flows.Device{{ID: "a", Username: "u", Password: "x"}, {ID: "b", Username: "v", Password: "x"}}}, ""},
	} {
		plan, problems := flows.NewPlan(c.n)
		switch {
		case c.path == "" && (plan == nil || len(problems) > 0):
			t.Errorf("%s: %v", what, problems)
		case c.path != "" && (plan != nil || len(problems) != 1 || problems[0].Path != c.path || problems.Slug() != flows.SlugConflict):
			t.Errorf("%s: got %v, want a conflict at %s", what, problems, c.path)
		}
	}
}

func TestAPlanTellsWhichNounIsWrong(t *testing.T) {
	bad := dated(t, "cf_bad", "", 1)
	bad.Routing[0].Pattern = "1*"
	plan, problems := flows.NewPlan(flows.Nouns{Flows: []*flows.CallFlow{bad}, Menus: []*flows.IVRMenu{{ID: "m", Name: "m"}}})
	if plan != nil || len(problems) != 2 || problems[0].Path != "call_flows[cf_bad].routing[0].pattern" || problems[1].Path != "ivr_menus[m].prompt" {
		t.Error(problems)
	}
}

func TestTrunks(t *testing.T) {
	out := func(priority int) *flows.TrunkOutbound {
		return &flows.TrunkOutbound{URI: "sip:192.0.2.1", Priority: priority}
	}
	plan := mustPlan(t, flows.Nouns{Trunks: []*flows.Trunk{
		{ID: "t_in", Name: "a", Hosts: []string{"127.0.0.0/8", "sip.example.com"}},
		{ID: "t_late", Name: "b", Hosts: []string{"127.0.0.5", "2001:db8::/32"}, Outbound: out(20)},
		{ID: "t_z", Name: "z", Outbound: out(10)},
		{ID: "t_y", Name: "y", Hosts: []string{"127.0.1.7/16"}, Outbound: out(10)},
	}})
	var order []string
	for _, trunk := range plan.Trunks() {
		order = append(order, trunk.ID)
	}
	if got := strings.Join(order, " "); got != "t_y t_z t_late t_in" {
		t.Error(got)
	}
	for from, want := range map[string]string{
		"127.0.0.5": "t_late", "127.0.0.6": "t_y", "127.1.0.1": "t_in", "::ffff:127.1.0.1": "t_in",
		"2001:db8::7": "t_late", "192.0.2.1": "", "::1": "",
	} {
		trunk, ok := plan.TrunkBySource(netip.MustParseAddr(from))
		if ok != (want != "") || ok && trunk.ID != want {
			t.Errorf("%s: %v %v, want %q", from, trunk, ok, want)
		}
	}
}

func TestLookups(t *testing.T) {
	plan := town(t, dated(t, "cf", "", 1))
	if plan.Flow("cf") == nil || plan.Flow("x") != nil || plan.Menu("main") == nil || plan.Menu("x") != nil ||
		plan.Box("voicemail_default") == nil || plan.Box("x") != nil || plan.Device("dev_1") == nil || plan.Device("alice") != nil ||
		plan.DeviceByUsername("alice") == nil || plan.DeviceByNumber("+14155552680") == nil || plan.DeviceByNumber("") != nil || plan.Number("+1") != nil {
		t.Error("a lookup found too much or too little")
	}
}

func TestWarnings(t *testing.T) {
	first := dated(t, "cf_first", "", 1)
	later := dated(t, "cf_later", "", 2)
	dangling := routing(t, "cf_dangling", "1 queue queue_support", "2 ivr_menu nomenu ! voicemail nobox 5", "* device nobody", "* call_flow noflow")
	dangling.PhoneNumber = "+14155550101"
	dead := routing(t, "cf_dead", "1 voicemail voicemail_default")
	dead.PhoneNumber = "+14155550102"
	plan := mustPlan(t, flows.Nouns{
		Flows:   []*flows.CallFlow{first, later, dangling, dead},
		Menus:   []*flows.IVRMenu{{ID: "m", Name: "m", Prompt: "x", Options: []flows.Option{{Digit: "1", Destination: "nobox", DestinationType: flows.ToVoicemail}}, Fallback: &flows.Fallback{Action: flows.ToFlow, ActionID: "noflow"}}},
		Boxes:   []*flows.VoicemailBox{flows.DefaultBox(time.Unix(0, 0)), {ID: "box_lamp", Name: "lamp", MWIDevice: "dev"}, {ID: "box_dark", Name: "dark", MWIDevice: "nobody"}},
		Numbers: []*flows.PhoneNumber{{Number: "+14155550103", CallFlowID: "noflow"}},
		Devices: []*flows.Device{{ID: "dev", Username: "u", Password: "x", VoicemailBoxID: "nobox"}},
	})
	for _, c := range []struct{ kind, id, want string }{
		{flows.KindFlow, "cf_first", ""},
		{flows.KindFlow, "cf_later", "phone_number further_default_flow"},
		{flows.KindFlow, "cf_dangling", "routing[0].destination destination_missing, routing[1].destination destination_missing, routing[1].fallback.action_id destination_missing, routing[2].destination destination_missing, routing[3].destination destination_missing"},
		{flows.KindFlow, "cf_dead", "routing[0].pattern never_reached, routing no_catch_all"},
		{flows.KindFlow, "nothing", ""},
		{flows.KindMenu, "m", "options[0].destination destination_missing, fallback.action_id destination_missing"},
		{flows.KindNumber, "+14155550103", "call_flow_id call_flow_missing"},
		{flows.KindDevice, "dev", "voicemail_box_id voicemail_box_missing"},
		{flows.KindBox, "voicemail_default", ""},
		{flows.KindBox, "box_lamp", ""},
		{flows.KindBox, "box_dark", "mwi_device device_missing"},
		{"anything", "dev", ""},
	} {
		var got []string
		for _, w := range plan.Warnings(c.kind, c.id) {
			got = append(got, w.Path+" "+w.Code)
			if w.Message == "" {
				t.Errorf("%s %s: a warning without words", c.kind, c.id)
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s %s: %v, want %q", c.kind, c.id, got, c.want)
		}
	}
}

func TestDemo(t *testing.T) {
	n := flows.Demo(time.Date(2026, 1, 15, 15, 4, 5, 999, time.UTC), "+14155552671", "dev_demo")
	n.Devices = []*flows.Device{{ID: "dev_demo", Username: "demo", Password: "x"}}
	plan := mustPlan(t, n)
	for _, kind := range []string{flows.KindFlow, flows.KindMenu} {
		for _, id := range []string{flows.DemoFlowID, flows.DemoMenuID} {
			if list := plan.Warnings(kind, id); len(list) > 0 {
				t.Error(list)
			}
		}
	}
	flow, owned := plan.Lookup("+14155552671")
	if !owned || flow.ID != flows.DemoFlowID {
		t.Fatal(flow, owned)
	}

	s := newStory(t, plan, flow)
	s.dials = map[string][]flows.Outcome{"dev_demo": {noAnswer}}
	s.keys = []string{"3", "7", "1"}
	s.goes("menu ivr_demo", "say (en-US) The time is 3:04 PM, coordinated universal time.",
		"menu ivr_demo", "dial device dev_demo (device dev_demo) 20s", "voicemail voicemail_default")

	s = newStory(t, plan, flow)
	s.keys = []string{"2"}
	s.goes("menu ivr_demo", "voicemail voicemail_default")

	s = newStory(t, plan, flow)
	if ending := s.goes("menu ivr_demo", "hangup no_choice"); ending.Failed {
		t.Errorf("%+v", ending)
	}

	everywhere := mustPlan(t, flows.Demo(time.Unix(0, 0), "", "dev_demo"))
	if everywhere.Flow(flows.DemoFlowID).PhoneNumber != "" {
		t.Error("a number came from nowhere")
	}
}

// A device is told of its own box, and of those that name it.
func TestWhoIsToldOfABox(t *testing.T) {
	box := func(id, device string) *flows.VoicemailBox {
		b := &flows.VoicemailBox{ID: id, Name: id, MWIDevice: device}
		b.ApplyDefaults()
		return b
	}
	plan := mustPlan(t, flows.Nouns{
		Boxes: []*flows.VoicemailBox{box("vm_anna", ""), box("vm_sales", "dev_anna"), box("vm_none", "dev_gone")},
		Devices: []*flows.Device{
			{ID: "dev_anna", Username: "anna", Password: "correct-horse-anna", VoicemailBoxID: "vm_anna"},
			{ID: "dev_ben", Username: "ben", Password: "correct-horse-ben", VoicemailBoxID: "vm_sales"},
		},
	})
	for id, want := range map[string]string{"vm_anna": "[anna]", "vm_sales": "[anna ben]", "vm_none": "[]", "": "[]"} {
		told := plan.BoxDevices(id)
		slices.Sort(told)
		if got := fmt.Sprint(told); got != want {
			t.Errorf("of %s are told %s, want %s", id, got, want)
		}
	}
	if got := plan.DeviceBoxes(plan.Device("dev_anna")); !slices.Equal(got, []string{"vm_anna", "vm_sales"}) {
		t.Errorf("anna is told of %v", got)
	}
	if problems := box("vm", "not an id").Validate(); len(problems) != 1 || problems[0].Path != "mwi_device" {
		t.Errorf("%v", problems)
	}
}
