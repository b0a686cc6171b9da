//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// The request bodies that the API's documentation shows, as they stand there.
var page = map[string]string{
	"Support Line": `{"name": "Support Line", "phone_number": "+14155552671",
		"routing": [{"pattern": "*", "destination": "ivr_main", "destination_type": "ivr_menu"}]}`,
	"Direct Line": `{"name": "Direct Line",
		"routing": [{"pattern": "*", "destination": "+14155552673", "destination_type": "phone_number"}]}`,
	"Business Hours Routing": `{"name": "Business Hours Routing", "routing": [
		{"pattern": "*", "destination": "+14155552673", "destination_type": "phone_number", "conditions": {"time_range":
			{"start": "09:00", "end": "17:00", "timezone": "America/New_York", "days": ["MON", "TUE", "WED", "THU", "FRI"]}}},
		{"pattern": "*", "destination": "voicemail_default", "destination_type": "voicemail"}]}`,
	"Support Menu": `{"name": "Support Menu", "routing": [
		{"pattern": "*", "destination": "ivr_support_menu", "destination_type": "ivr_menu"},
		{"pattern": "1", "destination": "+14155552673", "destination_type": "phone_number"},
		{"pattern": "2", "destination": "+14155552674", "destination_type": "phone_number"},
		{"pattern": "3", "destination": "voicemail_default", "destination_type": "voicemail"}]}`,
	"Smart Routing": `{"name": "Smart Routing", "routing": [
		{"pattern": "*", "destination": "https://your-api.example.com/route-call", "destination_type": "webhook"}]}`,
	"Fallback Routing": `{"name": "Fallback Routing", "routing": [
		{"pattern": "*", "destination": "+14155552673", "destination_type": "phone_number",
		 "fallback": {"timeout": 30, "action": "voicemail", "action_id": "voicemail_default"}}]}`,
	"Screened Routing": `{"name": "Screened Routing", "routing": [
		{"pattern": "*", "destination": "voicemail_default", "destination_type": "voicemail",
		 "conditions": {"blocked_numbers": ["+14155552699", "+14155552698"]}},
		{"pattern": "*", "destination": "+14155552673", "destination_type": "phone_number"}]}`,
}

func TestBodiesOfThePage(t *testing.T) {
	s := StartSwitch(t, nobody(t))
	for name, body := range page {
		flow := s.Create("/v2/call-flows", body)
		if !strings.HasPrefix(flow.str("call_flow_id"), "cf_") || flow.str("name") != name || flow.at("routing", 0, "pattern") != "*" {
			t.Errorf("%s: %v", name, flow)
		}
		if at, err := time.Parse(time.RFC3339, flow.str("created_at")); err != nil || at.Location() != time.UTC {
			t.Errorf("%s: created_at %q", name, flow.str("created_at"))
		}
		if got := s.Do(http.MethodPatch, "/v2/call-flows/"+flow.str("call_flow_id"),
			`{"recording": {"enabled": true, "format": "mp3", "participant": "all"}}`, 200); got.at("recording", "enabled") != true {
			t.Errorf("%s, patched: %v", name, got)
		}
	}
	box := s.Create("/v2/voicemail-boxes", `{"name": "Default Voicemail", "greeting": "Thank you for calling. Please leave a message.",
		"max_duration": 120, "prompt": "Please record your message after the beep."}`)
	if !strings.HasPrefix(box.str("voicemail_box_id"), "vmbox_") {
		t.Errorf("box: %v", box)
	}
}

// The three errors of the page, in its words.
func TestErrorsOfThePage(t *testing.T) {
	s := StartSwitch(t, nobody(t))
	wrong := s.Do(http.MethodPost, "/v2/call-flows",
		`{"name": "x", "routing": [{"pattern": "*", "destination": "12", "destination_type": "phone_number"}]}`, 400)
	isError(t, wrong, "invalid_number", 400, "The destination number format is invalid")
	isError(t, s.Do(http.MethodGet, "/v2/call-flows/cf_nothing", nil, 404), "not_found", 404, "Call flow not found")
	isError(t, s.Do(http.MethodPost, "/v2/calls/call_nothing/answer", `{}`, 404), "not_found", 404, "")
	isError(t, s.Do(http.MethodPost, "/v2/call-flows", `{"name": "x", "fallbak": 1, "routing": []}`, 400), "invalid_request", 400, "")
	isError(t, s.Do(http.MethodPost, "/v2/call-flows", `{`, 400), "invalid_json", 400, "")
}

func isError(t *testing.T, d doc, slug string, code float64, message string) {
	t.Helper()
	if d.str("error") != slug || d.num("code") != code || d.str("message") == "" || message != "" && d.str("message") != message {
		t.Errorf("error %v, want %s %g %q", d, slug, code, message)
	}
}
