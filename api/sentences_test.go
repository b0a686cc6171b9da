package api_test

import (
	"strings"
	"testing"
	"time"
)

// "name (required), routing (required, at least one rule), … active (default
// true), … reply call_flow_id and created_at. Additions: updated_at, revision
// (from 1), tags."
func TestFieldsOfACallFlow(t *testing.T) {
	b := newBench(t)
	routing := `"routing": [` + limitRule + `}]`
	made := b.flow(`{"name": "Least", ` + routing + `, "tags": {"team": "sales"}}`)
	tags, _ := made.json["tags"].(map[string]any)
	if !strings.HasPrefix(made.str("call_flow_id"), "cf_") || made.json["active"] != true || made.json["revision"] != 1.0 || tags["team"] != "sales" {
		t.Errorf("%s", made.Body)
	}
	for _, field := range []string{"created_at", "updated_at"} {
		if at, err := time.Parse(time.RFC3339, made.str(field)); err != nil || time.Since(at) > time.Minute {
			t.Errorf("%s is %s", field, made.str(field))
		}
	}
	for _, body := range []string{`{` + routing + `}`, `{"name": " ", ` + routing + `}`, `{"name": "x"}`, `{"name": "x", "routing": []}`, `{"name": "x", "routing": null}`} {
		b.want(b.do("POST", "/v2/call-flows", body), 400, "invalid_request")
	}
	// "Several flows without a number may be active; their replies carry a warning."
	later := b.flow(`{"name": "Later", ` + routing + `}`)
	if !strings.Contains(later.Body.String(), `"code":"further_default_flow"`) || strings.Contains(made.Body.String(), "further_default_flow") {
		t.Errorf("%s, then %s", made.Body, later.Body)
	}
	// "Two active flows with the same phone_number: 409."
	numbered := `{"name": "x", "phone_number": "+14155552671", ` + routing + `}`
	b.flow(numbered)
	b.want(b.do("POST", "/v2/call-flows", numbered), 409, "conflict")
	b.want(b.do("POST", "/v2/call-flows", strings.Replace(numbered, `{`, `{"active": false, `, 1)), 201)
}

// What the contract has refused at save is refused at save, with its place; what
// it has accepted is accepted.
func TestRefusedAtSave(t *testing.T) {
	b := newBench(t)
	rule := func(more string) string { return limitRule + `, ` + more + `}` }
	hours := func(start, end, zone, days string) string {
		return rule(`"conditions": {"time_range": {"start": "` + start + `", "end": "` + end + `", "timezone": "` + zone + `"` + days + `}}`)
	}
	for routing, where := range map[string]string{
		// "Bad patterns are 400 at save."
		`{"pattern": "[9-0]", "destination": "a", "destination_type": "voicemail"}`: "routing[0].pattern",
		`{"pattern": "1*", "destination": "a", "destination_type": "voicemail"}`:    "routing[0].pattern",
		`{"pattern": "", "destination": "a", "destination_type": "voicemail"}`:      "routing[0].pattern",
		// "Abbreviations such as EST are rejected at save."
		hours("09:00", "17:00", "EST", ""):  "routing[0].conditions.time_range.timezone",
		hours("09:00", "17:00", "Mars", ""): "routing[0].conditions.time_range.timezone",
		// "start == end rejected."
		hours("09:00", "09:00", "UTC", ""): "routing[0].conditions.time_range.end",
		hours("24:00", "09:00", "UTC", ""): "routing[0].conditions.time_range.start",
		// "24:00 allowed as end"; "days in any case".
		hours("09:00", "24:00", "UTC", `, "days": ["mon", "Tue", "WED"]`): "",
		hours("22:00", "06:00", "America/New_York", ""):                   "",
		// "A destination that does not exist yet is accepted."
		`{"pattern": "[*]", "destination": "nowhere", "destination_type": "queue"}`: "",
		// "At save a URL is only checked for form": a private address by https is accepted.
		`{"pattern": "*", "destination": "https://127.0.0.1/a", "destination_type": "webhook"}`:  "",
		`{"pattern": "*", "destination": "http://example.com/a", "destination_type": "webhook"}`: "routing[0].destination",
		`{"pattern": "*", "destination": "example.com", "destination_type": "webhook"}`:          "routing[0].destination",
	} {
		body := `{"name": "x", "routing": [` + routing + `]}`
		if where == "" {
			b.want(b.do("POST", "/v2/call-flows", body), 201)
			continue
		}
		if a := b.want(b.do("POST", "/v2/call-flows", body), 400, "invalid_request"); !strings.Contains(a.Body.String(), `"path":"`+where+`"`) {
			t.Errorf("%s: %s", routing, a.Body)
		}
	}
}
