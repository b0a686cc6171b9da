package api_test

import (
	"strings"
	"testing"

	"b2bua/flows"
)

// A calendar is closed for today and opened again by two patches, and the plan
// of the next call knows at once; the flow that asked for it before it existed
// was warned.
func TestCalendarOverrideByPatch(t *testing.T) {
	b := newBench(t)
	flow := b.flow(`{"call_flow_id": "cf_cal", "name": "x", "routing": [
		{"pattern": "*", "destination": "voicemail_default", "destination_type": "voicemail", "conditions": {"calendar": "us-office", "calendar_state": "closed"}}]}`)
	if !strings.Contains(flow.Body.String(), flows.WarnCalendarMissing) {
		t.Errorf("no warning: %s", flow.Body)
	}
	b.want(b.do("POST", "/v2/calendars", `{"calendar_id": "us-office", "name": "US office", "timezone": "America/New_York",
		"hours": [{"days": ["MON"], "start": "09:00", "end": "17:00"}],
		"dates": [{"name": "Thanksgiving", "nth": 4, "weekday": "THU", "month": 11, "closed": true}]}`), 201)
	if again := b.want(b.do("GET", "/v2/call-flows/cf_cal", ""), 200); strings.Contains(again.Body.String(), flows.WarnCalendarMissing) {
		t.Errorf("still warned: %s", again.Body)
	}
	set := b.want(b.do("PATCH", "/v2/calendars/us-office", `{"override": "closed", "until": "2099-01-01T00:00:00Z"}`), 200)
	if set.str("override") != "closed" || b.store.Plan().Calendar("us-office").Override != flows.CalendarClosed {
		t.Errorf("%s", set.Body)
	}
	back := b.want(b.do("PATCH", "/v2/calendars/us-office", `{"override": null}`), 200)
	if strings.Contains(back.Body.String(), "until") || b.store.Plan().Calendar("us-office").Override != "" {
		t.Errorf("%s", back.Body)
	}
	for body, field := range map[string]string{
		`{"override": "shut"}`:                     "override",
		`{"timezone": "EST"}`:                      "timezone",
		`{"dates": [{"name": "x", "dat": "x"}]}`:   "dates[0].dat",
		`{"dates": [{"name": "x", "nth": 1}]}`:     "dates[0].weekday",
		`{"hours": [{"start": "9", "end": "17"}]}`: "hours[0].start",
	} {
		if a := b.want(b.do("PATCH", "/v2/calendars/us-office", body), 400, "invalid_request"); !strings.Contains(a.Body.String(), `"`+field) {
			t.Errorf("%s: %s", body, a.Body)
		}
	}
	b.want(b.do("DELETE", "/v2/calendars/us-office", ""), 204)
}
