package flows_test

import (
	"strings"
	"testing"

	"b2bua/flows"
)

func TestPIN(t *testing.T) {
	b := &flows.VoicemailBox{Name: "x", PIN: "4711"}
	b.ApplyDefaults()
	kept := b.PIN
	if strings.Contains(kept, "4711") || !b.PINMatches("4711") || b.PINMatches("4712") || b.PINMatches("") || b.PINMatches(kept) {
		t.Errorf("kept as %s", kept)
	}
	if b.ApplyDefaults(); b.PIN != kept || len(b.Validate()) != 0 {
		t.Error("a kept PIN is hashed once more")
	}
	other := &flows.VoicemailBox{Name: "x", PIN: "4711"}
	if other.ApplyDefaults(); other.PIN == kept {
		t.Error("two boxes with the same PIN look the same")
	}
	for _, bad := range []string{"123", "1234567890123", "12a4", "pbkdf2-sha256$x", "pbkdf2-sha256$", "１２３４"} {
		b := &flows.VoicemailBox{Name: "x", PIN: bad}
		if b.ApplyDefaults(); len(b.Validate()) != 1 {
			t.Errorf("%q is accepted", bad)
		}
	}
	for _, none := range []*flows.VoicemailBox{nil, {}, {PIN: "4711"}} {
		if none.PINMatches("4711") || none.PINMatches("") {
			t.Error("a box without a PIN opens")
		}
	}
}

func TestBoxFields(t *testing.T) {
	for _, c := range []struct {
		path string
		box  flows.VoicemailBox
	}{
		{"number", flows.VoicemailBox{Number: "7"}},
		{"number", flows.VoicemailBox{Number: "+14155552671"}},
		{"recorded_greeting", flows.VoicemailBox{RecordedGreeting: "../../etc/passwd"}},
		{"recorded_greeting", flows.VoicemailBox{RecordedGreeting: "hello"}},
		{"timezone", flows.VoicemailBox{Timezone: "EST"}},
		{"operator.destination", flows.VoicemailBox{Operator: &flows.Operator{Destination: "911x", DestinationType: flows.ToNumber}}},
		{"operator.destination_type", flows.VoicemailBox{Operator: &flows.Operator{Destination: "x", DestinationType: "person"}}},
		{"notify.email", flows.VoicemailBox{Notify: &flows.Notify{}}},
		{"notify.email", flows.VoicemailBox{Notify: &flows.Notify{Email: "nobody"}}},
		{"notify.webhook", flows.VoicemailBox{Notify: &flows.Notify{Webhook: "ftp://example.com"}}},
		{"notify.subject", flows.VoicemailBox{Notify: &flows.Notify{Email: "a@b.example", Subject: "{caller}"}}},
		{"notify.subject", flows.VoicemailBox{Notify: &flows.Notify{Email: "a@b.example", Subject: "a\nb"}}},
		{"notify.text", flows.VoicemailBox{Notify: &flows.Notify{Email: "a@b.example", Text: "{pin}"}}},
		{"mwi_devices[1]", flows.VoicemailBox{MWIDevices: []string{"dev_a", "no device"}}},
	} {
		c.box.Name = "x"
		c.box.ApplyDefaults()
		if problems := c.box.Validate(); len(problems) != 1 || problems[0].Path != c.path {
			t.Errorf("want a problem of %s, got %v", c.path, problems)
		}
	}
	good := flows.VoicemailBox{
		Name: "x", Number: "700", RecordedGreeting: "prompt_hello", Timezone: "Europe/Berlin", PIN: "0000", MWIDevices: []string{"dev_a"},
		Operator: &flows.Operator{Destination: "+14155552673", DestinationType: flows.ToNumber},
		Notify:   &flows.Notify{Email: "Anna <a@b.example>, c@d.example", Webhook: "https://example.com/x", Subject: "{from}", Text: "{name}\n{box} {time} {duration} {message_id}"},
	}
	if good.ApplyDefaults(); len(good.Validate()) != 0 {
		t.Error(good.Validate())
	}
	if a := good.Notify.Addresses(); len(a) != 2 || a[0] != "a@b.example" || !good.Notify.Attaches() || good.Welcome() != "prompt_hello" {
		t.Errorf("%v", a)
	}
}

func TestBoxesAmongOthers(t *testing.T) {
	box := func(id, number string) *flows.VoicemailBox {
		return &flows.VoicemailBox{ID: id, Name: id, Number: number, MWIDevice: "dev_1", MWIDevices: []string{"dev_2", "dev_none"},
			Operator: &flows.Operator{Destination: "menu_none", DestinationType: flows.ToMenu}}
	}
	device := func(id string) *flows.Device { return &flows.Device{ID: id, Username: id, Password: "secret-secret"} }
	n := flows.Nouns{Boxes: []*flows.VoicemailBox{box("a", "700"), box("b", "701")}, Devices: []*flows.Device{device("dev_1"), device("dev_2")}}
	plan, problems := flows.NewPlan(n)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if plan.BoxByNumber("701").ID != "b" || plan.BoxByNumber("702") != nil || len(plan.DeviceBoxes(n.Devices[1])) != 2 {
		t.Error("boxes are not found")
	}
	var codes []string
	for _, w := range plan.Warnings(flows.KindBox, "a") {
		codes = append(codes, w.Code+" "+w.Path)
	}
	if got := strings.Join(codes, ", "); got != "device_missing mwi_devices[1], destination_missing operator.destination" {
		t.Error(got)
	}
	n.Boxes = []*flows.VoicemailBox{n.Boxes[0], box("b", "700")}
	if _, problems = plan.Next(n); len(problems) != 1 || problems[0].Path != "number" {
		t.Errorf("%v", problems)
	}
}
