package simulate_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"b2bua/flows"
	"b2bua/flows/simulate"
)

func office(t testing.TB) (*flows.Plan, *flows.CallFlow) {
	t.Helper()
	data, err := os.ReadFile("testdata/office.json")
	if err != nil {
		t.Fatal(err)
	}
	return bundle(t, string(data))
}

func bundle(t testing.TB, text string) (*flows.Plan, *flows.CallFlow) {
	t.Helper()
	var b simulate.Bundle
	if err := b.Read([]byte(text)); err != nil {
		t.Fatal(err)
	}
	plan, err := b.Plan()
	if err != nil {
		t.Fatal(err)
	}
	return plan, b.Flows()[0]
}

var working = time.Date(2026, 11, 25, 15, 12, 0, 0, time.UTC)

func eventNames(r simulate.Result) (names []string) {
	for _, e := range r.Events {
		names = append(names, string(e.Name))
	}
	return names
}

// A table of calls to one flow: where each goes, and the events that would be
// told of it.
func TestSimulatedCalls(t *testing.T) {
	plan, f := office(t)
	for _, c := range []struct {
		what   string
		given  flows.Given
		way    string // destinations, in order
		status string
		reason string
		events string
	}{
		{"a number that is screened", flows.Given{From: "+14155552699"}, "voicemail_default", "completed", "hangup",
			"initiated routed answered received completed"},
		{"the short pattern waits", flows.Given{Digits: "1"}, "ivr_office +14155552673", "completed", "hangup",
			"initiated routed answered dtmf completed routed bridged completed"},
		{"the long one does not", flows.Given{Digits: "15"}, "ivr_office +14155552675", "completed", "hangup",
			"initiated routed answered dtmf dtmf completed routed bridged completed"},
		{"a wrong key, then a right one", flows.Given{Digits: "9,1"}, "ivr_office +14155552673", "completed", "hangup",
			"initiated routed answered dtmf dtmf completed routed bridged completed"},
		{"silence, then a key", flows.Given{Script: []string{"", "15"}}, "ivr_office +14155552675", "completed", "hangup",
			"initiated routed answered dtmf dtmf completed routed bridged completed"},
		{"silence to the end", flows.Given{}, "ivr_office voicemail_default", "completed", "hangup",
			"initiated routed answered completed routed received completed"},
		{"the caller hangs up in the menu", flows.Given{Script: []string{flows.GivenHangup}}, "ivr_office", "completed", "hangup",
			"initiated routed answered completed completed"},
		{"busy, and the fallback does not answer, and then the next", flows.Given{Digits: "1",
			Outcomes: map[string]flows.Results{"+14155552673": {"486"}, "+14155552674": {"no_answer"}}},
			"ivr_office +14155552673 +14155552674 voicemail_default", "completed", "hangup",
			"initiated routed answered dtmf completed routed routed routed received completed"},
		{"the caller gives up while it rings", flows.Given{Digits: "1", Outcomes: map[string]flows.Results{"*": {flows.GivenHangup}}},
			"ivr_office +14155552673", "completed", "hangup", "initiated routed answered dtmf completed routed completed"},
		{"a webhook without a reply", flows.Given{Digits: "7"}, "ivr_office https://example.com/route voicemail_default", "completed", "hangup",
			"initiated routed answered dtmf completed routed routed received completed"},
	} {
		c.given.At = working
		r := simulate.Run(t.Context(), plan, f, c.given, time.Time{}, nil)
		var way []string
		for _, taken := range r.Taken {
			way = append(way, taken.Destination)
		}
		var told []string
		for _, name := range eventNames(r) {
			told = append(told, name[strings.LastIndexByte(name, '.')+1:])
		}
		if strings.Join(way, " ") != c.way || r.Outcome.Status != c.status || r.Outcome.Reason != c.reason || strings.Join(told, " ") != c.events {
			t.Errorf("%s:\n%s\n%s %s\n%s", c.what, way, r.Outcome.Status, r.Outcome.Reason, told)
		}
		for i, e := range r.Events {
			if h := e.Data.Header(); h.Sequence != i+1 || h.CallFlowID != "cf_office" || e.Timestamp.Before(working) {
				t.Errorf("%s: event %d: %+v", c.what, i, e)
			}
		}
	}
}

// Not answered: the caller gets the mapped SIP code, and call.failed is told.
func TestSimulatedCallThatIsNotAnswered(t *testing.T) {
	plan, f := bundle(t, `{"name": "x", "phone_number": "+14155552671", "routing": [
		{"pattern": "*", "destination": "+14155552673", "destination_type": "phone_number"}]}`)
	for result, want := range map[string]struct {
		code   int
		reason string
	}{"486": {486, "routing_failed"}, "no_answer": {480, "routing_failed"}, "503": {503, "routing_failed"}, "hangup": {487, "caller_cancelled"}} {
		r := simulate.Run(t.Context(), plan, f, flows.Given{From: "+14155550100", Outcomes: map[string]flows.Results{"*": {result}}}, working, nil)
		if r.Outcome.Status != "failed" || r.Outcome.SIPCode != want.code || r.Outcome.Reason != want.reason {
			t.Errorf("%s: %+v", result, r.Outcome)
		}
		if names := eventNames(r); names[len(names)-1] != "call.failed" {
			t.Errorf("%s: %v", result, names)
		}
	}
	_, f = bundle(t, `{"name": "x", "routing": [{"pattern": "*", "destination": "busy", "destination_type": "reject"}]}`)
	if r := simulate.Run(t.Context(), plan, f, flows.Given{}, working, nil); r.Outcome.SIPCode != 486 || r.Outcome.Reason != "rejected" {
		t.Errorf("%+v", r.Outcome)
	}
}

// Eight digits typed ahead over three menus: none is lost.
func TestTypeAheadOverThreeMenus(t *testing.T) {
	plan, f := bundle(t, `{"call_flows": [{"name": "x", "routing": [{"pattern": "*", "destination": "a", "destination_type": "ivr_menu"}]}],
		"ivr_menus": [
			{"menu_id": "a", "name": "a", "prompt": "a", "options": [{"digit": "12", "destination": "b", "destination_type": "ivr_menu"}]},
			{"menu_id": "b", "name": "b", "prompt": "b", "options": [{"digit": "345", "destination": "c", "destination_type": "ivr_menu"}]},
			{"menu_id": "c", "name": "c", "prompt": "c", "options": [{"digit": "678", "destination": "+14155552673", "destination_type": "phone_number"}]}]}`)
	r := simulate.Run(t.Context(), plan, f, flows.Given{Digits: "12345678"}, working, nil)
	if last := r.Taken[len(r.Taken)-1]; last.Destination != "+14155552673" || r.Outcome.Unused != "" {
		t.Errorf("%+v %q", last, r.Outcome.Unused)
	}
	if r := simulate.Run(t.Context(), plan, f, flows.Given{Digits: "123456789"}, working, nil); r.Outcome.Unused != "9" {
		t.Errorf("%q is left", r.Outcome.Unused)
	}
}

// The digits of a sensitive menu are nowhere in what a simulation says.
func TestSimulationKeepsSensitiveDigitsSecret(t *testing.T) {
	plan, f := bundle(t, `{"call_flows": [{"name": "x", "routing": [{"pattern": "*", "destination": "pin", "destination_type": "ivr_menu"}]}],
		"ivr_menus": [{"menu_id": "pin", "name": "pin", "prompt": "p", "sensitive": true, "options": [{"digit": "7193", "destination": "done", "destination_type": "hangup"}]}]}`)
	r := simulate.Run(t.Context(), plan, f, flows.Given{Digits: "7193"}, working, nil)
	text, err := json.Marshal(r)
	if err != nil || strings.Contains(string(text), "7193") || r.Outcome.Reason != "done" {
		t.Errorf("%v %s", err, text)
	}
}

func TestSimulationEndsForEveryInput(t *testing.T) {
	plan, f := office(t)
	for _, digits := range []string{strings.Repeat("1", 5000), strings.Repeat("9,", 900), strings.Repeat(",", 900), "*#*#"} {
		if r := simulate.Run(t.Context(), plan, f, flows.Given{Digits: digits, At: working}, working, nil); len(r.Steps) > 500 {
			t.Errorf("%d steps", len(r.Steps))
		}
	}
}

func TestGivenSaysWhatIsWrong(t *testing.T) {
	for text, path := range map[string]string{
		`{"digits": "1x"}`:                      "script[0]",
		`{"script": ["1", "hang"]}`:             "script[1]",
		`{"digits": "1", "script": ["1"]}`:      "script",
		`{"verstat": "maybe"}`:                  "verstat",
		`{"webhook": "dead"}`:                   "webhook",
		`{"outcomes": {"a": ["busy", "bisy"]}}`: "outcomes.a[1]",
		`{"outcomes": {"a": "999"}}`:            "outcomes.a[0]",
	} {
		var g flows.Given
		if err := json.Unmarshal([]byte(text), &g); err != nil {
			t.Fatal(err)
		}
		if p := g.Validate(); len(p) != 1 || p[0].Path != path {
			t.Errorf("%s: %v", text, p)
		}
	}
}

// The tests of a flow pass, and each one that is made wrong fails and says why.
func TestFlowTests(t *testing.T) {
	plan, f := office(t)
	if r := simulate.Test(t.Context(), plan, f, working); r.Failed != 0 || r.Passed != 5 {
		t.Errorf("%+v", r.Problems())
	}
	two := 2
	for says, e := range map[string]flows.Expect{
		`destination is "+14155552674", expected "x"`:                    {Destination: "x"},
		`destination_type is "phone_number", expected "queue"`:           {DestinationType: flows.ToQueue},
		`rule is 3, expected 2`:                                          {Rule: &two},
		`by is "fallback", expected "rule"`:                              {By: flows.ByRule},
		`result is "connected", expected "busy"`:                         {Result: "busy"},
		`reason is "hangup", expected "no"`:                              {Reason: "no"},
		`status is "completed", expected "failed"`:                       {Status: "failed"},
		`the call does not come to ivr_office in this order; it goes to`: {Visits: []string{"+14155552673", "ivr_office"}},
		`the call comes to +14155552673`:                                 {Avoids: []string{"nowhere", "+14155552673"}},
	} {
		tried := *f
		tried.Tests = slices.Clone(f.Tests[2:3])
		tried.Tests[0].Expect = e
		r := simulate.Test(t.Context(), plan.With(&tried), &tried, working)
		if p := r.Problems(); len(p) != 1 || p[0].Path != "tests[0]" || !strings.Contains(p[0].Message, says) {
			t.Errorf("%v, want %s", p, says)
		}
		var report bytes.Buffer
		if err := simulate.JUnit(&report, []simulate.Report{r}); err != nil {
			t.Fatal(err)
		}
		var parsed struct {
			Suites []struct {
				Failures int `xml:"failures,attr"`
				Cases    []struct {
					Failure *struct {
						Message string `xml:"message,attr"`
					} `xml:"failure"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal(report.Bytes(), &parsed); err != nil || parsed.Suites[0].Failures != 1 || !strings.Contains(parsed.Suites[0].Cases[0].Failure.Message, says) {
			t.Errorf("%v %s", err, report.String())
		}
	}
}

func TestPrintIsReadable(t *testing.T) {
	plan, f := office(t)
	g := flows.Given{From: "+14155550100", At: working, Digits: "1"}
	var out strings.Builder
	if err := simulate.Print(&out, f, g, simulate.Run(t.Context(), plan, f, g, working, nil)); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"Office (cf_office): call from +14155550100 at 2026-11-25T15:12:00Z",
		"  0:03.3  menu         menu ivr_office: the caller pressed 1 (inter_digit_timeout)",
		"  0:07.3  call.bridged           to +14155552673",
		"completed: hangup",
	} {
		if !strings.Contains(out.String(), line+"\n") {
			t.Errorf("%q is not in\n%s", line, out.String())
		}
	}
}

func TestBundleSaysWhatIsWrong(t *testing.T) {
	for text, says := range map[string]string{
		``:                                       "empty",
		`[]`:                                     "must hold an object",
		`{"flows": []}`:                          "call_flows",
		`{"call_flows": {}}`:                     "must be a list",
		`{"name": "x", "routing": [{"dest":1}]}`: "call_flows[0].routing[0].dest",
	} {
		var b simulate.Bundle
		if err := b.Read([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
	var b simulate.Bundle
	if err := b.Read([]byte(`{"name": "x", "routing": [{"pattern": "[", "destination": "x", "destination_type": "hangup"}]}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Plan(); err == nil || !strings.Contains(err.Error(), "routing[0].pattern") {
		t.Error(err)
	}
}
