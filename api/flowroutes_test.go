package api_test

import (
	"context"
	"strings"
	"testing"

	"b2bua/api"
	"b2bua/flows"
)

const twoNumbers = `{"call_flow_id": "cf_sim", "name": "x", "phone_number": "+14155552671", "routing": [
	{"pattern": "*", "destination": "+14155552673", "destination_type": "phone_number", "fallback": {"action": "phone_number", "action_id": "+14155552674"}}]`

// A simulation tells the trace and the events of a real call and keeps nothing;
// a draft is tried without being saved.
func TestSimulateCallFlow(t *testing.T) {
	b := newBench(t)
	b.flow(twoNumbers + `}`)
	a := b.want(b.do("POST", "/v2/call-flows/cf_sim/simulate", `{"from": "+14155550100", "at": "2026-11-25T15:12:00Z", "outcomes": {"+14155552673": "busy"}}`), 200)
	for _, want := range []string{`"call_flow_id":"cf_sim"`, `"destination":"+14155552674"`, `busy (486 Busy Here), so the fallback is taken`,
		`"event":"call.initiated"`, `"event":"call.completed"`, `"at":"2026-11-25T15:12:00Z"`} {
		if !strings.Contains(a.Body.String(), want) {
			t.Errorf("%s is not in %s", want, a.Body)
		}
	}
	draft := `"draft": {"name": "y", "routing": [{"pattern": "*", "destination": "later", "destination_type": "hangup"}]}`
	if a := b.want(b.do("POST", "/v2/call-flows/cf_sim/simulate", `{`+draft+`}`), 200); !strings.Contains(a.Body.String(), `"reason":"later"`) {
		t.Errorf("%s", a.Body)
	}
	b.want(b.do("POST", "/v2/call-flows/cf_new/simulate", `{`+draft+`}`), 200)
	b.want(b.do("POST", "/v2/call-flows/cf_new/simulate", ""), 404, "not_found")
	b.want(b.do("POST", "/v2/call-flows/cf_sim/simulate", `{"digit": "1"}`), 400, "invalid_request")
	b.want(b.do("POST", "/v2/call-flows/cf_sim/simulate", `{"digits": "x"}`), 400, "invalid_request")
	b.want(b.do("POST", "/v2/call-flows/cf_sim/simulate", `{"webhook": "live"}`), 400, "invalid_request")
	b.want(b.do("POST", "/v2/call-flows/cf_sim/simulate", `{"draft": {"name": "", "routing": []}}`), 400, "invalid_request")
	if calls := b.want(b.do("GET", "/v2/calls", ""), 200); strings.Contains(calls.Body.String(), "call_simulated") {
		t.Error("a simulated call is listed")
	}
}

// webhook: live asks the webhook itself.
func TestSimulateAsksTheWebhookWhenLive(t *testing.T) {
	asked := ""
	b := newBench(t, func(d *api.Deps) {
		d.Asks = func(_ context.Context, url string, c flows.Call) (flows.Decision, flows.Step, error) {
			asked = url + " " + c.From
			return flows.Decision{Destination: "asked", DestinationType: flows.ToHangup}, flows.Step{Kind: flows.StepWebhook, Text: "asked"}, nil
		}
	})
	b.flow(`{"call_flow_id": "cf_hook", "name": "x", "routing": [{"pattern": "*", "destination": "https://example.com/route", "destination_type": "webhook"}]}`)
	mocked := b.want(b.do("POST", "/v2/call-flows/cf_hook/simulate", `{"webhooks": {"https://example.com/route": {"destination": "mocked", "destination_type": "hangup"}}}`), 200)
	if asked != "" || !strings.Contains(mocked.Body.String(), `"reason":"mocked"`) {
		t.Errorf("%q %s", asked, mocked.Body)
	}
	live := b.want(b.do("POST", "/v2/call-flows/cf_hook/simulate", `{"from": "+14155550100", "webhook": "live"}`), 200)
	if asked != "https://example.com/route +14155550100" || !strings.Contains(live.Body.String(), `"reason":"asked"`) {
		t.Errorf("%q %s", asked, live.Body)
	}
}

// "Flow tests … run by POST …/test, and on save when tests_required."
func TestFlowTestsAreKeptRunAndRequired(t *testing.T) {
	b := newBench(t)
	tests := func(to string) string {
		return `, "tests": [{"name": "reaches sales", "given": {"from": "+14155550100"}, "expect": {"destination": "` + to + `"}}]`
	}
	b.flow(twoNumbers + tests("+14155552674") + `}`)
	if a := b.want(b.do("POST", "/v2/call-flows/cf_sim/test", ""), 200); !strings.Contains(a.Body.String(), `"passed":0,"failed":1`) {
		t.Errorf("%s", a.Body)
	}
	refused := b.want(b.do("PATCH", "/v2/call-flows/cf_sim", `{"tests_required": true}`), 400, "invalid_request")
	if !strings.Contains(refused.Body.String(), `"tests[0]"`) || !strings.Contains(refused.Body.String(), "reaches sales") {
		t.Errorf("%s", refused.Body)
	}
	b.want(b.do("PUT", "/v2/call-flows/cf_sim", twoNumbers+tests("+14155552673")+`, "tests_required": true}`), 200)
	b.want(b.do("PATCH", "/v2/call-flows/cf_sim", `{"routing": [{"pattern": "*", "destination": "bye", "destination_type": "hangup"}]}`), 400, "invalid_request")
	if a := b.want(b.do("POST", "/v2/call-flows/cf_sim/test", ""), 200); !strings.Contains(a.Body.String(), `"passed":1,"failed":0`) {
		t.Errorf("%s", a.Body)
	}
	b.want(b.do("POST", "/v2/call-flows", strings.Replace(twoNumbers, "cf_sim", "cf_other", 1)+tests("x")+`, "tests_required": true}`), 400, "invalid_request")
	b.want(b.do("POST", "/v2/call-flows/cf_none/test", ""), 404, "not_found")
}

// GET …/lint tells the faults of a flow and its menus, each with place and fix;
// the reply to a save has those of the flow.
func TestLintCallFlow(t *testing.T) {
	b := newBench(t)
	b.want(b.do("POST", "/v2/ivr-menus", `{"menu_id": "m", "name": "m", "prompt": "Press 1 or press 2.",
		"options": [{"digit": "1", "destination": "voicemail_default", "destination_type": "voicemail"}]}`), 201)
	saved := b.flow(`{"call_flow_id": "cf_lint", "name": "x", "phone_number": "+14155552671", "routing": [
		{"pattern": "*", "destination": "m", "destination_type": "ivr_menu"},
		{"pattern": "1", "destination": "+14155552671", "destination_type": "phone_number"}]}`)
	for _, want := range []string{`"code":"no_fallback"`, `"code":"dials_itself"`, `"path":"routing[1].destination"`, `"fix":"`} {
		if !strings.Contains(saved.Body.String(), want) {
			t.Errorf("%s is not in %s", want, saved.Body)
		}
	}
	found := b.want(b.do("GET", "/v2/call-flows/cf_lint/lint", ""), 200)
	if !strings.Contains(found.Body.String(), `"path":"ivr_menus[m].prompt","code":"announced_key"`) {
		t.Errorf("%s", found.Body)
	}
	b.want(b.do("GET", "/v2/call-flows/none/lint", ""), 404, "not_found")
}

// GET …/calendar: where calls go, holidays and clocks marked, and what another
// revision did otherwise.
func TestCallFlowCalendar(t *testing.T) {
	b := newBench(t)
	b.want(b.do("POST", "/v2/calendars", `{"calendar_id": "us-office", "name": "US office", "timezone": "America/New_York",
		"hours": [{"days": ["THU"], "start": "09:00", "end": "17:00"}],
		"dates": [{"name": "Thanksgiving", "nth": 4, "weekday": "THU", "month": 11, "closed": true}]}`), 201)
	routing := func(first string) string {
		return `{"call_flow_id": "cf_span", "name": "x", "routing": [` + first + `
			{"pattern": "*", "destination": "voicemail_default", "destination_type": "voicemail"}]}`
	}
	b.flow(routing(``))
	b.want(b.do("PUT", "/v2/call-flows/cf_span", routing(`{"pattern": "*", "destination": "+14155552673", "destination_type": "phone_number", "conditions": {"calendar": "us-office"}},`)), 200)
	a := b.want(b.do("GET", "/v2/call-flows/cf_span/calendar?from=2026-11-19T05:00:00Z&to=2026-11-27T05:00:00Z&compare=1", ""), 200)
	for _, want := range []string{
		`"local":"Thu Nov 19 09:00–17:00","rule":0,"destination":"+14155552673"`, `"timezone":"America/New_York"`,
		`2026-11-26 is Thanksgiving in calendar us-office: closed`,
		`"text":"Thu Nov 19 09:00–17:00 now goes to phone number +14155552673, not to voicemail box voicemail_default"`,
	} {
		if !strings.Contains(a.Body.String(), want) {
			t.Errorf("%s is not in %s", want, a.Body)
		}
	}
	if n := strings.Count(a.Body.String(), "now goes to"); n != 1 {
		t.Errorf("%d changes", n)
	}
	b.want(b.do("GET", "/v2/call-flows/cf_span/calendar", ""), 200)
	b.want(b.do("GET", "/v2/call-flows/cf_span/calendar?from=2026-11-19T05:00:00Z&to=2028-11-19T05:00:00Z", ""), 400, "invalid_request")
	b.want(b.do("GET", "/v2/call-flows/cf_span/calendar?compare=9", ""), 404, "not_found")
	b.want(b.do("GET", "/v2/call-flows/none/calendar", ""), 404, "not_found")
}
