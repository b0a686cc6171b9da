package stories_test

import (
	"strings"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/flows"
	"b2bua/testbench/phone"
)

// deviceWith makes a device with further fields, and registers its phone.
func (s *stage) deviceWith(user string, p *phone.Phone, more string) {
	s.Helper()
	s.create("/v2/devices", `{"device_id": "dev_`+user+`", "username": "`+user+`", "password": "correct-horse-`+user+`", `+more+`}`)
	s.must(p.Register(s.soon(), switchAt, user, "correct-horse-"+user, time.Hour))
}

// dials is a registered phone calling a user or number.
func (s *stage) dials(p *phone.Phone, to string) *phone.Call {
	s.Helper()
	c, err := p.Invite(s.soon(), to, phone.Options{Headers: []phone.Header{
		{Name: "P-Asserted-Identity", Value: "<sip:+14155559999@x>"}, {Name: "Privacy", Value: "id"}, {Name: "Diversion", Value: "<sip:+14155559998@x>"},
	}})
	s.must(err)
	return c
}

// A device dials outside what it may, as itself, and so many calls at once.
func TestDeviceDialsOut(t *testing.T) {
	story(t, func(s *stage) {
		b := s.phone("sales", carrierAt, phone.Quirks{})
		anna := s.phone("anna", "10.0.5.1:5060", phone.Quirks{})
		s.deviceWith("anna", anna, `"number": "+14155550001", "allow_outbound": ["+1415*"], "max_calls": 1`)
		in := s.dials(anna, sales)
		out := s.answers(b)
		if got := shownBy(out); got.from != `"anna" <sip:+14155550001@10.0.0.1>` || got.asserted != `"anna" <sip:+14155550001@10.0.0.1>` || got.privacy+got.diversion != "" {
			s.Errorf("shown as %+v", got)
		}
		s.until(in, phone.Established)
		s.talk(in, out)

		second := s.dials(anna, support)
		s.refused(second, 503)
		failed := s.event("call.failed")
		if got := s.attempts(failed.str("call_id")); !strings.Contains(got, "as many calls to the outside as it may") {
			s.Errorf("attempts:\n%s", got)
		}
		s.hangsUp(in)
		s.over(out)
		if e := s.event("call.completed"); e.str("call_id") == failed.str("call_id") {
			s.Errorf("%v", e)
		}
		in = s.dials(anna, "1-415-555-2673")
		s.must(s.next(b).Reject(486))
		s.refused(in, 486)
	}, config(func(c *configs.Config) {
		c.Trunks[0].CallerID = &flows.CallerID{PAI: true, Diversion: true}
	}), drawn("anna", "switch", "sales"))
}

// What a caller is told of a refusal is a matter of configuration: some carriers
// dial again after 603.
func TestDeclinedIsTold(t *testing.T) {
	for name, code := range map[string]int{"as busy": 486, "as it is": 603} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *stage) {
				s.flow(toSales)
				a, b := s.parties()
				in := s.calls(a, did)
				s.must(s.next(b).Reject(603))
				s.refused(in, code)
			}, undrawn, config(func(c *configs.Config) { c.Calls.DeclinedCode = code }))
		})
	}
}
