package flows_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"b2bua/flows"
)

func TestParseNumber(t *testing.T) {
	for _, good := range []string{"+14155552671", "+14155552699", "+442079460000", "+493012345678", "+390612345678", "+8613800138000", "+80012345678", "+2901234"} {
		if got, err := flows.ParseNumber(good); err != nil || got != good {
			t.Errorf("%s: %q, %v", good, got, err)
		}
	}
	for bad, says := range map[string]string{
		"":                  "missing",
		"14155552671":       "write + and",
		"+1 415 555 2671":   "without spaces",
		"+1-415-555-2671":   "without spaces",
		"(415) 555-2671":    "write + and",
		"+":                 "write + and",
		"+141555":           "6 digits",
		"+1234567890123456": "16 digits",
		"+0123456789":       "country code",
		"+99912345678":      "country code",
		"+1415555267١":      "write + and",
		"tel:+14155552671":  "write + and",
		"support":           "write + and",
		"+1415*":            "write + and",
	} {
		if _, err := flows.ParseNumber(bad); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v, want %q", bad, err, says)
		}
	}
}

func TestAFlowTellsAllItsProblemsAtOnce(t *testing.T) {
	f := flows.NewCallFlow()
	strict(t, `{
 "call_flow_id": "no spaces please", "name": " ", "phone_number": "4155552671", "timezone": "EST",
 "routing": [
  {"pattern": "1*", "destination": "415-555", "destination_type": "phone_number",
   "conditions": {"time_range": {"start": "9", "end": "17:00", "timezone": "EST"}, "blocked_numbers": ["+14155552699", "x"], "allowed_numbers": ["+1415*", "+*"]},
   "fallback": {"timeout": -1, "action": "voicemai", "action_id": "x"}},
  {"pattern": "2", "destination": "", "destination_type": "reject"},
  {"pattern": "*", "destination": "has space", "destination_type": "ivr_menu", "reason": "a\nb"},
  {"pattern": "*", "destination": "x"}
 ],
 "recording": {"enabled": true, "format": "ogg", "participant": "nobody", "channels": "5.1", "max_duration": -1},
 "tags": {"": "x"}
}`, f)
	f.ApplyDefaults()
	var got []string
	for _, p := range f.Validate() {
		got = append(got, p.Path+" "+p.Slug)
	}
	want := []string{
		"call_flow_id invalid_request",
		"name invalid_request",
		"phone_number invalid_number",
		"routing[0].pattern invalid_request",
		"routing[0].destination invalid_number",
		"routing[0].fallback.timeout invalid_request",
		"routing[0].fallback.action invalid_request",
		"routing[0].conditions.time_range.start invalid_request",
		"routing[0].conditions.time_range.timezone invalid_request",
		"routing[0].conditions.blocked_numbers[1] invalid_number",
		"routing[0].conditions.allowed_numbers[1] invalid_number",
		"routing[1].destination_type invalid_request",
		"routing[2].destination invalid_request",
		"routing[2].reason invalid_request",
		"routing[3].destination_type invalid_request",
		"recording.format invalid_request",
		"recording.participant invalid_request",
		"recording.channels invalid_request",
		"recording.max_duration invalid_request",
		"timezone invalid_request",
		"tags invalid_request",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if slug := f.Validate().Slug(); slug != flows.SlugInvalidRequest {
		t.Errorf("slug %s", slug)
	}
}

func TestAWrongNumberAloneIsInvalidNumber(t *testing.T) {
	f := flows.NewCallFlow()
	strict(t, `{"name":"n","routing":[{"pattern":"*","destination":"555","destination_type":"phone_number"}]}`, f)
	problems := f.Validate()
	if len(problems) != 1 || problems.Slug() != flows.SlugInvalidNumber {
		t.Errorf("%v", problems)
	}
	encoded, _ := json.Marshal(problems)
	if !strings.HasPrefix(string(encoded), `[{"path":"routing[0].destination","message":"`) {
		t.Errorf("as details: %s", encoded)
	}
}

func TestDestinations(t *testing.T) {
	for _, c := range []struct {
		kind flows.DestinationType
		to   string
		says string // "" means good
	}{
		{flows.ToMenu, "ivr_main", ""},
		{flows.ToMenu, "../etc", "give the id of the IVR menu"},
		{flows.ToMenu, "", "missing"},
		{flows.ToVoicemail, "voicemail_default", ""},
		{flows.ToQueue, "queue_support", ""},
		{flows.ToRingGroup, "queue_support", ""},
		{flows.ToFlow, "cf_abc123", ""},
		{flows.ToDevice, "dev_1", ""},
		{flows.ToDevice, "alice.smith", ""},
		{flows.ToDevice, "alice@example.com", "username it registers with"},
		{flows.ToNumber, "+14155552673", ""},
		{flows.ToNumber, "sip:+14155552673", "not a phone number"},
		{flows.ToWebhook, "https://example.com/calls", ""},
		{flows.ToWebhook, "http://127.0.0.1:9000/calls?x=1", ""},
		{flows.ToWebhook, "ftp://example.com", "not an https URL"},
		{flows.ToWebhook, "https://", "no host"},
		{flows.ToWebhook, "https://user:pw@example.com/", "user name"},
		{flows.ToWebhook, "https://example.com/#x", "leave it out"},
		{flows.ToWebhook, "/calls", "not an https URL"},
		{flows.ToSIP, "sip:alice@example.com", ""},
		{flows.ToSIP, "sips:alice@[2001:db8::1]:5061;transport=tcp", ""},
		{flows.ToSIP, "sip:192.0.2.1", ""},
		{flows.ToSIP, "sip:alice@example.com?Replaces=x", "headers"},
		{flows.ToSIP, "sip:alice@exa mple.com", "not a SIP address"},
		{flows.ToSIP, "sip:alice@example.com\r\nX: y", "not a SIP address"},
		{flows.ToSIP, "sip:alice:secret@example.com", "not a SIP address"},
		{flows.ToSIP, "sip:alice@example.com:99999", "not a SIP address"},
		{flows.ToSIP, "alice@example.com", "not a SIP address"},
		{flows.ToSay, "The time is {time} on {date}.", ""},
		{flows.ToSay, "Your balance is {balance}.", "{balance}"},
		{flows.ToSay, " ", "missing"},
		{flows.ToHangup, "", ""},
		{flows.ToHangup, "closed", ""},
		{flows.ToReject, "busy", ""},
		{flows.ToReject, "603", ""},
		{flows.ToReject, "401", "not 401"},
		{flows.ToReject, "nope", "one of busy"},
		{flows.ToApplication, "", ""},
		{"voicemial", "x", "one of ivr_menu"},
		{"", "x", "missing"},
	} {
		rule := flows.Rule{Destination: c.to, DestinationType: c.kind}
		problems := rule.ValidateDestination()
		switch {
		case c.says == "" && len(problems) > 0:
			t.Errorf("%s %q: %v", c.kind, c.to, problems)
		case c.says != "" && (len(problems) != 1 || !strings.Contains(problems[0].Message, c.says)):
			t.Errorf("%s %q: got %v, want %q", c.kind, c.to, problems, c.says)
		}
	}
}

func TestMenuDefaultsAndProblems(t *testing.T) {
	var m flows.IVRMenu
	strict(t, `{"menu_id":"ivr_main","name":"Main","prompt":"Press 1.","options":[{"digit":"1","destination":"voicemail_default","destination_type":"voicemail"},{"digit":"*","destination":"ivr_main","destination_type":"ivr_menu"}]}`, &m)
	m.ApplyDefaults()
	if problems := m.Validate(); len(problems) > 0 {
		t.Fatal(problems)
	}
	if m.MaxDigits != 1 || m.MinDigits != 1 || m.Timeout != 5 || m.InterDigitTimeout != 3 || *m.FinishOnKey != "#" ||
		m.MaxAttempts != 3 || !*m.BargeIn || m.FlushBuffer || m.Sensitive || m.Language != "en-US" {
		t.Errorf("%+v", m)
	}

	var bad flows.IVRMenu
	strict(t, `{"menu_id":"m","name":"","options":[{"digit":"1","destination":"+1","destination_type":"phone_number"},{"digit":"1","destination":"busy","destination_type":"reject"},{"digit":"1-","destination":"x","destination_type":"queue"}],
	 "min_digits":5,"max_digits":2,"timeout":-1,"finish_on_key":"##","valid_digits":"12a","voice":"-o /tmp/x","language":"english please",
	 "fallback":{"action":"ivr_menu","action_id":"m"}}`, &bad)
	bad.ApplyDefaults()
	var got []string
	for _, p := range bad.Validate() {
		got = append(got, p.Path)
	}
	want := []string{"name", "prompt", "fallback.action_id", "language", "voice", "options[0].destination", "options[1].digit",
		"options[1].destination_type", "options[2].digit", "min_digits", "timeout", "finish_on_key", "valid_digits"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestTrunksDevicesAndNumbers(t *testing.T) {
	trunk := flows.Trunk{ID: "trunk_1", Name: "carrier", Hosts: []string{"127.0.0.0/8", "sip.example.com", "2001:db8::1"},
		Outbound: &flows.TrunkOutbound{URI: "sip:127.0.0.1:5070;transport=udp"}}
	trunk.ApplyDefaults()
	if problems := trunk.Validate(); len(problems) > 0 || trunk.DTMF != "auto" {
		t.Errorf("%v, %+v", problems, trunk)
	}
	bad := flows.Trunk{ID: "t", Hosts: []string{"300.1.1.1", "a b"}, Outbound: &flows.TrunkOutbound{URI: "127.0.0.1", Transport: "sctp", MaxCalls: -1, MaxCPS: -1},
		DTMF: "tones", SRTP: "always", CallerID: &flows.CallerID{From: "x"}, Codecs: []string{""}}
	if problems := bad.Validate(); len(problems) != 11 {
		t.Errorf("%d problems: %v", len(problems), problems)
	}
	device := flows.Device{ID: "dev_1", Username: "alice", Password: "s3cret", Number: "+14155552680", VoicemailBoxID: "vmbox_1"}
	if problems := device.Validate(); len(problems) > 0 {
		t.Error(problems)
	}
	if problems := (&flows.Device{ID: "dev_1", Username: "a b", Number: "101", VoicemailBoxID: "/"}).Validate(); len(problems) != 4 {
		t.Errorf("%d problems: %v", len(problems), problems)
	}
	if problems := (&flows.PhoneNumber{Number: "+14155552671", CallFlowID: "cf_1"}).Validate(); len(problems) > 0 {
		t.Error(problems)
	}
	if problems := (&flows.PhoneNumber{Number: "x"}).Validate(); problems.Slug() != flows.SlugInvalidNumber {
		t.Error(problems)
	}
}

// Whatever a trunk may be set to is taken; nothing is left out or put off.
func TestTrunkSettings(t *testing.T) {
	for _, srtp := range []string{flows.SRTPOff, flows.SRTPOptional, flows.SRTPRequired} {
		x := flows.Trunk{ID: "t", Name: "t", DTMF: "inband", SRTP: srtp, Hold: "relay", Probe: -1, AllowRefer: true, FollowRedirects: true,
			CallerID: &flows.CallerID{From: "flow_number", PAI: true, Diversion: true, HistoryInfo: true, Privacy: "strip"},
			Outbound: &flows.TrunkOutbound{URI: "sip:192.0.2.1", Username: "me", Register: true, Priority: 3, Weight: 10, MaxCalls: 30, MaxCPS: 2.5}}
		if problems := x.Validate(); len(problems) > 0 {
			t.Error(srtp, problems)
		}
		if d := (&flows.Device{ID: "d", Username: "u", Password: "s3cret-s3cret", SRTP: srtp}); len(d.Validate()) > 0 {
			t.Error(srtp, d.Validate())
		}
	}
}

func TestPlainWebhooksAreTold(t *testing.T) {
	f := readFlow(t, "cf", `{"name":"n","routing":[
	 {"pattern":"*","destination":"http://127.0.0.1/a","destination_type":"webhook","fallback":{"action":"webhook","action_id":"HTTP://127.0.0.1/b"}},
	 {"pattern":"*","destination":"https://example.com/c","destination_type":"webhook"}]}`)
	if problems := f.PlainWebhooks(); len(problems) != 2 || problems[1].Path != "routing[0].fallback.action_id" {
		t.Error(problems)
	}
	m := flows.IVRMenu{Options: []flows.Option{{Digit: "1", Destination: "http://x/", DestinationType: flows.ToWebhook}}}
	if problems := m.PlainWebhooks(); len(problems) != 1 || problems[0].Path != "options[0].destination" {
		t.Error(problems)
	}
}
