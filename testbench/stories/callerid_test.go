package stories_test

import (
	"slices"
	"strings"
	"testing"

	"b2bua/configs"
	"b2bua/flows"
	"b2bua/testbench/phone"
)

// shown is what a carrier is told about a caller.
type shown struct{ from, asserted, privacy, diversion, history string }

func shownBy(out *phone.Call) shown {
	from, _, _ := strings.Cut(out.Header("From"), ";tag=")
	return shown{from, out.Header("P-Asserted-Identity"), out.Header("Privacy"),
		strings.Join(out.Values("Diversion"), " | "), strings.Join(out.Values("History-Info"), " | ")}
}

func policy(p flows.CallerID) func(*setup) {
	return config(func(c *configs.Config) { c.Trunks[0].CallerID = &p })
}

const (
	jane     = `"Jane \"JJ\" Doe" <sip:+14155550199@carrier.example;user=phone>, <tel:+14155550199>`
	withheld = `"Anonymous" <sip:anonymous@anonymous.invalid>`
	plain    = "<sip:" + caller + "@10.0.0.1>"
	ofDID    = "<sip:" + did + "@10.0.0.1>"
)

// Who a carrier is told is calling, by the policy of its trunk and by what came
// with the call.
func TestCallerIsShown(t *testing.T) {
	no := false
	for name, c := range map[string]struct {
		policy  flows.CallerID
		headers []phone.Header
		want    shown
	}{
		"as he is":                {want: shown{from: plain}},
		"as another trunk has it": {headers: []phone.Header{{Name: "P-Asserted-Identity", Value: jane}}, want: shown{from: `"Jane \"JJ\" Doe" <sip:+14155550199@10.0.0.1>`}},
		"without belief": {policy: flows.CallerID{TrustPAI: &no}, headers: []phone.Header{{Name: "P-Asserted-Identity", Value: jane}},
			want: shown{from: plain}},
		"with the number called": {policy: flows.CallerID{From: "flow_number", PAI: true}, want: shown{from: ofDID, asserted: ofDID}},
		"with a number of ours":  {policy: flows.CallerID{From: support}, want: shown{from: "<sip:" + support + "@10.0.0.1>"}},
		"asserted":               {policy: flows.CallerID{PAI: true}, want: shown{from: plain, asserted: plain}},
		"withheld":               {headers: []phone.Header{{Name: "Privacy", Value: "id"}}, want: shown{from: withheld, privacy: "id"}},
		"withheld and asserted": {policy: flows.CallerID{PAI: true}, headers: []phone.Header{{Name: "Privacy", Value: "id"}},
			want: shown{from: withheld, asserted: plain, privacy: "id"}},
		"withheld from all": {policy: flows.CallerID{PAI: true, Privacy: "strip"}, headers: []phone.Header{{Name: "Privacy", Value: "id"}},
			want: shown{from: withheld, privacy: "id"}},
		"withheld but not ours": {policy: flows.CallerID{PAI: true, From: "flow_number"}, headers: []phone.Header{{Name: "Privacy", Value: "id"}},
			want: shown{from: ofDID, asserted: ofDID}},
		"sent on":   {policy: flows.CallerID{Diversion: true}, want: shown{from: plain, diversion: ofDID + ";reason=unconditional"}},
		"by chance": {headers: []phone.Header{{Name: "Diversion", Value: "<sip:" + support + "@x>;reason=user-busy"}}, want: shown{from: plain}},
		"sent on twice": {policy: flows.CallerID{Diversion: true, HistoryInfo: true},
			headers: []phone.Header{{Name: "Diversion", Value: `"Evil" <sip:` + support + `@x;cause=1>;reason=user-busy;privacy=full`}},
			want: shown{from: plain,
				diversion: ofDID + ";reason=unconditional | <sip:" + support + "@10.0.0.1>;reason=user-busy",
				history: "<sip:" + support + "@10.0.0.1>;index=1 | <sip:" + did + "@10.0.0.1;cause=486>;index=1.1;mp=1 | <sip:" +
					sales + "@10.0.2.1;cause=302>;index=1.1.1;mp=1.1"}},
		"by its history": {policy: flows.CallerID{Diversion: true},
			headers: []phone.Header{{Name: "History-Info", Value: "<sip:" + support + "@x>;index=1, <sip:" + did + "@x;cause=408>;index=1.1"}},
			want:    shown{from: plain, diversion: ofDID + ";reason=unconditional | <sip:" + support + "@10.0.0.1>;reason=no-answer"}},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *stage) {
				s.flow(toSales)
				a, b := s.parties()
				in := s.calls(a, did, phone.Options{Headers: c.headers})
				out := s.answers(b)
				if got := shownBy(out); got != c.want {
					s.Errorf("the carrier was shown\n%+v, want\n%+v", got, c.want)
				}
				s.until(in, phone.Established)
				s.hangsUp(in)
				s.over(out)
			}, policy(c.policy), undrawn)
		})
	}
}

// Phones are shown nothing that a caller withholds, whatever a trunk asserts, and
// the record and the events tell who sent the call on.
func TestWithheldNumberAtAPhone(t *testing.T) {
	story(t, func(s *stage) {
		desk := s.phone("desk", "10.0.5.1:5060", phone.Quirks{})
		s.device("anna", desk)
		s.flow(rule("*", "dev_anna", "device"))
		a := s.phone("caller", callerAt, phone.Quirks{})
		in := s.calls(a, did, phone.Options{Display: "Secret", Headers: []phone.Header{
			{Name: "Privacy", Value: "id"}, {Name: "P-Asserted-Identity", Value: jane}, {Name: "Diversion", Value: "<sip:14155552674@x>;reason=no-answer"},
		}})
		out := s.answers(desk)
		if got := shownBy(out); got != (shown{from: withheld}) {
			s.Errorf("the phone was shown %+v", got)
		}
		s.until(in, phone.Established)
		s.hangsUp(in)
		s.over(out)
		began, done := s.event("call.initiated"), s.event("call.completed")
		if began.str("from") != "anonymous" || began.str("diverted_from") != support {
			s.Errorf("%v", began)
		}
		record := s.get("/v2/calls/" + done.str("call_id"))
		if len(record.list("diversions")) != 1 || record.str("diversions", 0, "number") != support || record.str("diversions", 0, "reason") != "no-answer" {
			s.Errorf("%v", record["diversions"])
		}
	}, undrawn)
}

// Why a call goes on is told in the words of RFC 5806; when it has gone on too
// often, it does so no more.
func TestDiversionTellsWhy(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(`{"pattern": "*", "destination": "` + support + `", "destination_type": "phone_number",
			"fallback": {"timeout": 10, "action": "phone_number", "action_id": "` + sales + `"}}`)
		a, b := s.parties()
		for reason, misses := range map[string]func(*phone.Call){
			"user-busy": func(c *phone.Call) { s.must(c.Reject(486)) },
			"no-answer": func(c *phone.Call) { c.Ring(); s.over(c) },
		} {
			in := s.calls(a, did)
			misses(s.next(b))
			out := s.answers(b)
			if got := shownBy(out).diversion; got != ofDID+";reason="+reason {
				s.Errorf("%s: %q", reason, got)
			}
			s.until(in, phone.Established)
			s.hangsUp(in)
			s.over(out)
		}
		for at, code := range map[string]int{"9": 486, "10": 482} {
			in := s.calls(a, did, phone.Options{Headers: []phone.Header{{Name: "Diversion", Value: "<sip:" + support + "@x>;reason=unknown;counter=" + at}}})
			if code == 486 {
				s.must(s.next(b).Reject(486))
				s.must(s.next(b).Reject(486))
			}
			s.refused(in, code)
		}
	}, policy(flows.CallerID{Diversion: true}), undrawn)
}

// A carrier with numbers of its own way of writing: those of calls in become
// E.164, those of calls out become what it likes.
func TestNumbersAreRewritten(t *testing.T) {
	story(t, func(s *stage) {
		s.api("POST", "/v2/call-flows", `{"name": "x", "phone_number": "+4930123456", "routing": [`+rule("*", "+14155552673", "phone_number")+`]}`, 201)
		a, b := s.parties()
		in := s.calls(a, "456", phone.Options{From: "030901820"})
		out := s.answers(b)
		if got := out.Requested(); !strings.HasPrefix(got, "sip:0014155552673@") {
			s.Errorf("dialled %s", got)
		}
		if got := shownBy(out).from; got != "<sip:030901820@10.0.0.1>" {
			s.Errorf("shown as %s", got)
		}
		s.until(in, phone.Established)
		s.hangsUp(in)
		s.over(out)
		if e := s.event("call.initiated"); e.str("from") != "+4930901820" || e.str("to") != "+4930123456" {
			s.Errorf("%v", e)
		}
		for _, to := range []string{"+49-30-123456", "49(30)123456", "004930123456"} { // as they are read without any transform
			in := s.calls(a, to)
			s.must(s.next(b).Reject(486))
			s.refused(in, 486)
		}
	}, config(func(c *configs.Config) {
		c.Trunks[0].Transforms = &flows.Transforms{
			InboundFrom:  []flows.Transform{{Match: `0([1-9]\d+)`, Replace: "+49$1"}},
			InboundTo:    []flows.Transform{{Match: `\d{3}`, Replace: "+4930123$0"}},
			OutboundFrom: []flows.Transform{{Match: `\+49(\d+)`, Replace: "0$1"}},
			OutboundTo:   []flows.Transform{{Match: `\+(\d+)`, Replace: "00$1"}},
		}
	}), undrawn)
}

// Keys go to a trunk by INFO when it wants that, and by nothing else.
func TestKeysByInfo(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.presses(in, "5#")
		pass(moment)
		if got := out.Infos(); !slices.Equal(got, []string{"Signal=5\r\nDuration=100\r\n", "Signal=#\r\nDuration=100\r\n"}) {
			s.Errorf("the carrier got %q", got)
		}
		if got := out.Digits(); got != "" {
			s.Errorf("and events %q", got)
		}
		s.hangsUp(in)
		s.over(out)
	}, config(func(c *configs.Config) {
		c.Trunks[0].Hosts = []string{"10.0.1.0/24"}
		c.Trunks = append(c.Trunks, c.Trunks[0])
		c.Trunks[1].ID, c.Trunks[1].Name, c.Trunks[1].Hosts, c.Trunks[1].DTMF = "trunk_info", "info", []string{"10.0.2.0/24"}, "info"
		c.Trunks[0].Outbound = nil
	}))
}
