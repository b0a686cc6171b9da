package stories_test

import (
	"strings"
	"testing"
	"time"

	"b2bua/testbench/phone"
)

// The two legs of a call are dialogs of their own: nothing of the one is seen on
// the other but who calls, whom, and how many hops are left (RFC 7092 §3.1).
func TestLegsShareNothing(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did, phone.Options{Headers: []phone.Header{
			{Name: "Via", Value: "SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKinside"},
			{Name: "Route", Value: "<sip:" + switchAt + ";lr>"}, {Name: "Authorization", Value: `Digest username="inside"`},
			{Name: "Server", Value: "inside"}, {Name: "Organization", Value: "inside"}, {Name: "Subject", Value: "inside"}, {Name: "X-Inside", Value: "inside"},
		}})
		out := s.answers(b)
		s.until(in, phone.Established)
		if via := out.Header("Via"); !strings.HasPrefix(via, "SIP/2.0/UDP "+switchAt) || strings.Contains(via, ",") {
			s.Errorf("Via: %s", via)
		}
		for _, name := range []string{"Record-Route", "Route", "Authorization", "Server", "Organization", "Subject", "X-Inside"} {
			if v := out.Header(name); v != "" {
				s.Errorf("%s: %s", name, v)
			}
		}
		if v := out.Header("Max-Forwards"); v != "69" {
			s.Errorf("Max-Forwards: %s", v)
		}
		if v := out.Header("User-Agent"); v == "testphone" {
			s.Errorf("User-Agent: %s", v)
		}
		if in.ID() == out.ID() {
			s.Errorf("both legs are %s", in.ID())
		}
		for name, v := range map[string]string{"Contact": out.Header("Contact"), "From": out.From(), "the description": out.Described()} {
			if strings.Contains(v, "10.0.1.1") || !strings.Contains(v, "10.0.0.1") {
				s.Errorf("%s: %s", name, v)
			}
		}
		// So it is the other way round.
		for name, v := range map[string]string{"Contact": in.Header("Contact"), "the description": in.Described()} {
			if strings.Contains(v, "10.0.2.1") || !strings.Contains(v, "10.0.0.1") {
				s.Errorf("%s: %s", name, v)
			}
		}
		pass(time.Second)
		s.hangsUp(out)
		s.over(in)
		s.event("call.completed")
	}, undrawn)
}
