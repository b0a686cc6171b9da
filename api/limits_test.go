package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"b2bua/flows"
)

// limitBodies are bodies around a field that has a limit: where it is sent to,
// and what comes before and after its value.
var limitBodies = map[string]struct{ path, before, after string }{
	"CallFlow":          {"/v2/call-flows", `{"name": "x", "routing": [` + limitRule + `}], `, `}`},
	"Rule":              {"/v2/call-flows", `{"name": "x", "routing": [{"pattern": "*", "destination": "", "destination_type": "hangup", `, `}]}`},
	"Conditions":        {"/v2/call-flows", `{"name": "x", "routing": [` + limitRule + `, "conditions": {`, `}}]}`},
	"Fallback":          {"/v2/call-flows", `{"name": "x", "routing": [` + limitRule + `, "fallback": {"action": "hangup", `, `}}]}`},
	"RecordingSettings": {"/v2/call-flows", `{"name": "x", "routing": [` + limitRule + `}], "recording": {`, `}}`},
	"FlowTest":          {"/v2/call-flows", `{"name": "x", "routing": [` + limitRule + `}], "tests": [{"expect": {"destination": "a"}, `, `}]}`},
	"Given":             {"/v2/call-flows", `{"name": "x", "routing": [` + limitRule + `}], "tests": [{"name": "x", "expect": {"destination": "a"}, "given": {`, `}}]}`},
	"IVRMenu":           {"/v2/ivr-menus", `{"name": "x", "prompt": "x", `, `}`},
	"Calendar":          {"/v2/calendars", `{"name": "x", "timezone": "UTC", `, `}`},
	"CalendarDate":      {"/v2/calendars", `{"name": "x", "timezone": "UTC", "dates": [{"name": "x", "nth": 1, "weekday": "MON", "month": 5, "closed": true, `, `}]}`},
	"VoicemailBox":      {"/v2/voicemail-boxes", `{"name": "x", `, `}`},
	"Queue":             {"/v2/queues", `{"name": "x", `, `}`},
	"QueueMember":       {"/v2/queues", `{"name": "x", "members": [{"destination": "a", "destination_type": "device", `, `}]}`},
	"NewPrompt":         {"/v2/prompts", `{"name": "x", "text": "x", `, `}`},
	"Device":            {"/v2/devices", `{"username": "desk", "password": "correct-horse-battery", `, `}`},
	"Trunk":             {"/v2/trunks", `{"name": "x", "hosts": ["192.0.2.1"], `, `}`},
}

const limitRule = `{"pattern": "*", "destination": "voicemail_default", "destination_type": "voicemail"`

// entry is entry n of a list or a map that has a limit.
func entry(field string, n int) string {
	switch field {
	case "CallFlow.routing":
		return limitRule + `}`
	case "CallFlow.tests":
		return fmt.Sprintf(`{"name": "%d", "expect": {"destination": "a"}}`, n)
	case "CallFlow.tags":
		return fmt.Sprintf(`"t%d": "x"`, n)
	case "Given.script":
		return `"1"`
	case "IVRMenu.options":
		return fmt.Sprintf(`{"digit": "%d", "destination": "voicemail_default", "destination_type": "voicemail"}`, n)
	case "Calendar.hours":
		return fmt.Sprintf(`{"start": "%02d:%02d", "end": "24:00"}`, n/60, n%60)
	case "Calendar.dates":
		return fmt.Sprintf(`{"name": "x", "date": "%d-%02d-%02d", "closed": true}`, 2026+n/336, n/28%12+1, n%28+1)
	case "Queue.members":
		return fmt.Sprintf(`{"destination": "dev_%d", "destination_type": "device"}`, n)
	case "VoicemailBox.mwi_devices":
		return fmt.Sprintf(`"dev_%d"`, n)
	}
	return fmt.Sprintf(`"+1415555%04d"`, n)
}

// The limits in the documentation are those that are enforced: what fills one is
// accepted, one more is refused with the name of the field.
func TestDocumentedLimitsAreEnforced(t *testing.T) {
	b := newBench(t)
	doc, _ := document(t, b)
	for field := range flows.Limits {
		name, short, _ := strings.Cut(field, ".")
		body := limitBodies[name]
		properties, _ := doc.Components.Schemas[name]["properties"].(map[string]any)
		p, _ := properties[short].(map[string]any)
		send := func(value string, status int, slug ...string) {
			t.Helper()
			a := b.want(b.do("POST", body.path, onceEach(t, body.before+`"`+short+`": `+value+body.after)), status, slug...)
			if status == 400 && !strings.Contains(a.Body.String(), short) {
				t.Errorf("%s: %s", field, a.Body)
			}
			if where := a.Header().Get("Location"); where != "" {
				b.want(b.do("DELETE", where, ""), 204)
			}
		}
		fits, over := limitValues(t, field, p)
		for _, value := range fits {
			send(value, 201)
		}
		for _, value := range over {
			send(value, 400, "invalid_request")
		}
	}
}

// onceEach leaves the last value of each field: the bodies around fields have
// those that are required already.
func onceEach(t *testing.T, text string) string {
	t.Helper()
	var all any
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(again)
}

// limitValues reads a schema: values that fill its limits, and that are beyond.
func limitValues(t *testing.T, field string, p map[string]any) (fits, over []string) {
	t.Helper()
	list := func(n int) string {
		entries := make([]string, n)
		for i := range entries {
			entries[i] = entry(field, i)
		}
		return strings.Join(entries, ", ")
	}
	number := func(name string) (int, bool) { n, ok := p[name].(float64); return int(n), ok }
	if most, ok := number("maxItems"); ok {
		fits, over = []string{"[" + list(most) + "]"}, []string{"[" + list(most+1) + "]"}
		if least, ok := number("minItems"); ok {
			over = append(over, "["+list(least-1)+"]")
		}
	} else if most, ok := number("maxProperties"); ok {
		fits, over = []string{"{" + list(most) + "}"}, []string{"{" + list(most+1) + "}"}
	} else if most, ok := number("maxLength"); ok {
		fits, over = []string{`"` + strings.Repeat("é", most) + `"`}, []string{`"` + strings.Repeat("é", most+1) + `"`}
	} else if most, ok := number("maximum"); ok {
		least, _ := number("minimum")
		fits, over = []string{fmt.Sprint(least), fmt.Sprint(most)}, []string{fmt.Sprint(least - 1), fmt.Sprint(most + 1)}
	} else {
		t.Errorf("%s: the documentation has no limit: %v", field, p)
	}
	return fits, over
}
