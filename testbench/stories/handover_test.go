package stories_test

import (
	"strings"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/testbench/phone"
)

// A trunk that may transfer, and hangs up, is not called back when nobody takes
// whom it leaves: the number it said would be dialled at our cost.
func TestTransferringTrunkIsNotCalledBack(t *testing.T) {
	for name, o := range map[string]phone.Options{
		"number":    {From: "+442079460999"},
		"anonymous": {From: "anonymous", Headers: []phone.Header{{Name: "Privacy", Value: "id"}}},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *stage) {
				a, _ := s.parties()
				team := s.colleagues("anna", "ben")
				s.flow(toAnna)
				in := s.calls(a, did, o)
				out := s.answers(team[0])
				s.until(in, phone.Established)
				s.refers(in, at("ben"))
				pass(moment)
				s.hangsUp(in)
				s.must(s.next(team[1]).Reject(486))
				s.over(out)
				e := s.event("call.failed")
				if trace := s.trace(e.str("call_id")); !strings.Contains(trace, "is not called back") {
					s.Errorf("the trace does not say why: %s", trace)
				}
			}, undrawn, config(func(c *configs.Config) { c.Trunks[0].AllowRefer = true }))
		})
	}
}

// Two who called the same person are joined; each is shown as who they are after
// that, too.
func TestJoinedPartiesKeepTheirNames(t *testing.T) {
	story(t, func(s *stage) {
		team := s.colleagues("anna", "ben", "carol", "dora")
		one, err := team[1].Invite(s.soon(), "anna", phone.Options{})
		s.must(err)
		first := s.answers(team[0])
		s.until(one, phone.Established)
		s.must(first.Hold(s.soon()))
		two, err := team[2].Invite(s.soon(), "anna", phone.Options{})
		s.must(err)
		second := s.answers(team[0])
		s.until(two, phone.Established)
		s.refers(first, phone.ReferToCall(second))
		s.notified(first, "SIP/2.0 200 OK")
		pass(time.Second)
		s.talk(one, two)
		s.refers(one, at("dora"))
		dora := s.answers(team[3])
		if !strings.Contains(dora.From(), "carol") {
			t.Errorf("dora gets carol, and is shown %s", dora.From())
		}
		s.hangsUp(dora)
		s.over(two)
	}, undrawn)
}
