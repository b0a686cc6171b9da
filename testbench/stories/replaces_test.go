package stories_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/phone"
)

// replacing is a call that wants the place of another one.
func replacing(c *phone.Call, more string) phone.Options {
	return phone.Options{Headers: []phone.Header{{Name: "Replaces", Value: c.Replaces() + more}, {Name: "Require", Value: "replaces"}}}
}

// A conversation begun on the mobile goes on at the desk.
func TestPhoneTakesOverAConversation(t *testing.T) {
	story(t, func(s *stage) {
		a := s.phone("caller", callerAt, phone.Quirks{})
		mobile, desk := s.phone("mobile", "10.0.5.2:5060", phone.Quirks{}), s.phone("desk", "10.0.5.1:5060", phone.Quirks{})
		s.device("anna", mobile)
		s.flow(toAnna)
		in := s.calls(a, did)
		first := s.answers(mobile)
		s.until(in, phone.Established)
		s.talk(in, first)
		s.must(desk.Register(s.soon(), switchAt, "anna", "correct-horse-anna", time.Hour))
		second, err := desk.Invite(s.soon(), "anna", replacing(first, ""))
		s.must(err)
		if e := s.over(first); e.By != phone.ByThem || !strings.Contains(e.Header, "cause=200") {
			s.Errorf("%+v", e)
		}
		s.until(second, phone.Established)
		s.talk(in, second)
		s.hangsUp(in)
		s.over(second)
		id := s.event("call.completed").str("call_id")
		s.legsOnWire(id, 3)
		attempts := s.get("/v2/calls/" + id).list("attempts")
		if len(attempts) != 2 {
			s.Fatalf("%v", attempts)
		}
		for _, one := range attempts {
			if a := doc(one.(map[string]any)); a.str("result") != "connected" || a.str("ended_at") == "" || a.str("destination") != "dev_anna" {
				s.Errorf("%v", a)
			}
		}
	}, drawn("caller", "switch", "mobile", "desk"))
}

// legsOnWire holds a call's trace, ladder and pcap to showing so many legs, from
// INVITE to BYE.
func (s *stage) legsOnWire(id string, want int) {
	s.Helper()
	trace := s.get("/v2/calls/" + id + "/trace")
	seen := map[string][]string{}
	for _, one := range trace.list("sip") {
		m := doc(one.(map[string]any))
		seen[m.str("sip_call_id")] = append(seen[m.str("sip_call_id")], strings.Fields(m.str("summary"))[0])
	}
	file := s.request(http.MethodGet, "/v2/calls/"+id+"/pcap", "").Body.Bytes()
	for leg, all := range seen {
		if !bytes.Contains(file, []byte("Call-ID: "+leg)) || !slices.Contains(all, "INVITE") || !slices.Contains(all, "BYE") {
			s.Errorf("leg %s: %q", leg, all)
		}
	}
	if len(seen) != want || strings.Count(trace.str("ladder"), "INVITE SDP") < want {
		s.Errorf("%d legs in the trace, want %d\n%s", len(seen), want, trace.str("ladder"))
	}
}

// The one who called takes the other phone, too; what nobody may take stays.
func TestCallerChangesPhones(t *testing.T) {
	story(t, func(s *stage) {
		mobile, desk := s.phone("mobile", "10.0.5.5:5060", phone.Quirks{}), s.phone("desk", "10.0.5.6:5060", phone.Quirks{})
		ben := s.colleagues("ben")[0]
		s.device("anna", mobile, desk)
		first, err := mobile.Invite(s.soon(), "ben", phone.Options{})
		s.must(err)
		out := s.answers(ben)
		s.until(first, phone.Established)
		for want, o := range map[int]phone.Options{
			481: {Headers: []phone.Header{{Name: "Replaces", Value: "nothing;to-tag=1;from-tag=2"}}},
			486: replacing(first, ";early-only"),
			400: {Headers: []phone.Header{{Name: "Replaces", Value: first.Replaces()}, {Name: "Replaces", Value: first.Replaces()}}},
			403: replacing(out, ""), // ben's
		} {
			c, err := desk.Invite(s.soon(), "ben", o)
			s.must(err)
			s.refused(c, want)
		}
		second, err := desk.Invite(s.soon(), "ben", replacing(first, ""))
		s.must(err)
		s.over(first)
		s.until(second, phone.Established)
		s.talk(second, out)
		s.hangsUp(second)
		s.over(out)
		s.legsOnWire(s.event("call.completed").str("call_id"), 3)
	}, drawn("mobile", "switch", "desk", "ben"), undrawn)
}

// What rings on the mobile is answered at the desk.
func TestPhoneTakesWhatRingsElsewhere(t *testing.T) {
	story(t, func(s *stage) {
		a := s.phone("caller", callerAt, phone.Quirks{})
		mobile, desk := s.phone("mobile", "10.0.5.2:5060", phone.Quirks{}), s.phone("desk", "10.0.5.1:5060", phone.Quirks{})
		s.device("anna", mobile)
		s.flow(toAnna)
		in := s.calls(a, did)
		rings := s.next(mobile)
		rings.Ring()
		pass(time.Second)
		s.must(desk.Register(s.soon(), switchAt, "anna", "correct-horse-anna", time.Hour))
		taken, err := desk.Invite(s.soon(), "anna", replacing(rings, ";early-only"))
		s.must(err)
		if e := s.over(rings); e.By != phone.ByThem || e.Code != 487 {
			s.Errorf("%+v", e)
		}
		s.until(taken, phone.Established)
		s.until(in, phone.Established)
		s.talk(in, taken)
		s.hangsUp(taken)
		s.over(in)
		s.completed("hangup")
	}, drawn("caller", "switch", "mobile", "desk"))
}

// Who holds goes on at the other phone: that phone holds nobody.
func TestHolderChangesPhones(t *testing.T) {
	story(t, func(s *stage) {
		mobile, desk := s.phone("mobile", "10.0.5.5:5060", phone.Quirks{}), s.phone("desk", "10.0.5.6:5060", phone.Quirks{})
		ben := s.colleagues("ben")[0]
		s.device("anna", mobile, desk)
		first, err := mobile.Invite(s.soon(), "ben", phone.Options{})
		s.must(err)
		out := s.answers(ben)
		s.until(first, phone.Established)
		s.must(first.Hold(s.soon()))
		pass(time.Second)
		s.music("ben", out)
		second, err := desk.Invite(s.soon(), "ben", replacing(first, ""))
		s.must(err)
		s.over(first)
		s.until(second, phone.Established)
		if e := s.event("call.resumed"); e.str("by") != "caller" {
			s.Errorf("%v", e)
		}
		pass(time.Second)
		s.talk(second, out)
		s.hangsUp(second)
		s.over(out)
	}, undrawn)
}

// What the API has put on hold, or muted, stays so at the other phone.
func TestHeldCallerChangesPhones(t *testing.T) {
	story(t, func(s *stage) {
		mobile, desk := s.phone("mobile", "10.0.5.5:5060", phone.Quirks{}), s.phone("desk", "10.0.5.6:5060", phone.Quirks{})
		ben := s.colleagues("ben")[0]
		s.device("anna", mobile, desk)
		first, err := mobile.Invite(s.soon(), "ben", phone.Options{})
		s.must(err)
		out := s.answers(ben)
		s.until(first, phone.Established)
		id := s.event("call.answered").str("call_id")
		s.command(id, "hold", "", 200)
		s.command(id, "mute", "", 200)
		pass(time.Second)
		second, err := desk.Invite(s.soon(), "ben", replacing(first, ""))
		s.must(err)
		s.over(first)
		s.until(second, phone.Established)
		pass(time.Second)
		s.music("the desk", second)
		out.SendTone(salesTone, toneLevel, 500*time.Millisecond)
		pass(500 * time.Millisecond)
		s.quiet("the desk hears ben, though both are on hold", last(second, 300*time.Millisecond), salesTone)
		s.command(id, "resume", "", 200)
		second.SendTone(callerTone, toneLevel, 500*time.Millisecond)
		pass(500 * time.Millisecond)
		s.quiet("ben hears who is muted", last(out, 300*time.Millisecond), callerTone)
		s.command(id, "unmute", "", 200)
		s.talk(second, out)
		s.hangsUp(second)
		s.over(out)
	}, undrawn)
}

// A device that wants to be told of holds is told at whichever phone.
func TestHoldIsRelayedToTheOtherPhone(t *testing.T) {
	story(t, func(s *stage) {
		a := s.phone("caller", callerAt, phone.Quirks{})
		mobile, desk := s.phone("mobile", "10.0.5.5:5060", phone.Quirks{}), s.phone("desk", "10.0.5.6:5060", phone.Quirks{})
		s.device("anna", mobile)
		s.api("PATCH", "/v2/devices/dev_anna", `{"hold": "relay"}`, 200)
		s.flow(toAnna)
		in := s.calls(a, did)
		first := s.answers(mobile)
		s.until(in, phone.Established)
		s.must(desk.Register(s.soon(), switchAt, "anna", "correct-horse-anna", time.Hour))
		second, err := desk.Invite(s.soon(), "anna", replacing(first, ""))
		s.must(err)
		s.over(first)
		s.until(second, phone.Established)
		s.must(in.Hold(s.soon()))
		pass(2 * time.Second)
		if !second.Held() {
			t.Error("the desk is not told of the hold")
		}
		s.must(in.Resume(s.soon()))
		pass(time.Second)
		s.talk(in, second)
		s.hangsUp(in)
		s.over(second)
	}, undrawn)
}
