package stories_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// colleagues are registered phones.
func (s *stage) colleagues(names ...string) []*phone.Phone {
	s.Helper()
	var all []*phone.Phone
	for i, name := range names {
		p := s.phone(name, "10.0.5."+string(rune('1'+i))+":5060", phone.Quirks{})
		s.device(name, p)
		all = append(all, p)
	}
	pass(moment)
	return all
}

const toAnna = `{"pattern": "*", "destination": "dev_anna", "destination_type": "device"}`

// at is somebody at this switch, as Refer-To names them.
func at(user string) string { return "<sip:" + user + "@10.0.0.1>" }

// refers asks for a transfer that must be accepted.
func (s *stage) refers(c *phone.Call, to string, headers ...phone.Header) {
	s.Helper()
	s.must(c.Refer(s.soon(), to, headers...))
}

// notReferred asks for a transfer that must be refused.
func (s *stage) notReferred(c *phone.Call, to string, code int) {
	s.Helper()
	var status *phone.StatusError
	if err := c.Refer(s.soon(), to); !errors.As(err, &status) || status.Code != code {
		s.Errorf("REFER to %s: %v, want %d", to, err, code)
	}
}

// notified waits for the last NOTIFY.
func (s *stage) notified(c *phone.Call, want string) {
	s.Helper()
	got, err := c.WaitNotified(s.soon())
	s.must(err)
	if got != want {
		s.Errorf("the transferor was told %q, want %q (all: %q)", got, want, c.Notified())
	}
}

// rings is the next call, ringing; who waits hears the ringback tone.
func (s *stage) rings(p *phone.Phone, waits *phone.Call) *phone.Call {
	s.Helper()
	c := s.next(p)
	c.Ring()
	pass(1500 * time.Millisecond)
	if got := sound.ToneLevel(last(waits, 300*time.Millisecond), 440); got < -30 {
		s.Errorf("who is transferred hears no ringback tone: %.1f dBm0", got)
	}
	return c
}

func (s *stage) transferred(kind, by, result string) {
	s.Helper()
	s.event("call.transferred", func(e doc) bool {
		return e.str("transfer_type") == kind && e.str("by") == by && e.str("result") == result
	})
}

// completed waits for a call that ended for this reason. Its record names the
// legs of all whom it reached, wherever they came from: the trace is made of them.
func (s *stage) completed(reason string) {
	s.Helper()
	done := s.event("call.completed", func(e doc) bool { return e.str("completion_reason") == reason })
	s.legsNamed(done.str("call_id"))
}

func (s *stage) legsNamed(id string) {
	s.Helper()
	for _, one := range s.get("/v2/calls/" + id).list("attempts") {
		if a := doc(one.(map[string]any)); a.str("sip_call_id") == "" {
			s.Errorf("whose leg is it: %v", a)
		}
	}
}

func TestBlindTransferByTheCallee(t *testing.T) {
	story(t, func(s *stage) {
		a := s.phone("caller", callerAt, phone.Quirks{})
		team := s.colleagues("anna", "ben")
		s.flow(toAnna)
		in := s.calls(a, did)
		first := s.answers(team[0])
		s.until(in, phone.Established)
		s.talk(in, first)
		s.refers(first, at("ben"), phone.Header{Name: "Referred-By", Value: at("anna")})
		second := s.rings(team[1], in)
		first.SendTone(callerTone, toneLevel, 300*time.Millisecond)
		pass(300 * time.Millisecond)
		s.quiet("who is transferred still hears", last(in, 200*time.Millisecond), callerTone)
		s.must(second.Accept())
		s.notified(first, "SIP/2.0 200 OK")
		if e := s.over(first); e.By != phone.ByThem {
			s.Errorf("%+v", e)
		}
		if all := first.Notified(); len(all) != 3 || !strings.HasPrefix(all[0], "SIP/2.0 100 Trying | active;expires=") || !strings.HasPrefix(all[1], "SIP/2.0 180 Ringing | active") || !strings.HasSuffix(all[2], " | terminated;reason=noresource") {
			s.Errorf("notified %q", all)
		}
		if !strings.Contains(second.From(), caller) {
			s.Errorf("ben sees %s", second.From())
		}
		s.talk(in, second)
		s.hangsUp(second)
		s.over(in)
		s.transferred("blind", "callee", "connected")
		if e := s.event("call.completed"); e.str("completion_reason") != "hangup" || e.str("hangup_source") != "callee" {
			s.Errorf("%v", e)
		}
	}, drawn("caller", "switch", "anna", "ben"))
}

func TestBlindTransferByTheCaller(t *testing.T) {
	story(t, func(s *stage) {
		team := s.colleagues("anna", "ben", "carol")
		in, err := team[0].Invite(s.soon(), "ben", phone.Options{})
		s.must(err)
		out := s.answers(team[1])
		s.until(in, phone.Established)
		s.talk(in, out)
		s.refers(in, at("carol"))
		third := s.rings(team[2], out)
		s.must(third.Accept())
		s.notified(in, "SIP/2.0 200 OK")
		s.over(in)
		if !strings.Contains(third.From(), "sip:ben@") {
			s.Errorf("carol sees %s", third.From())
		}
		s.talk(out, third)
		s.hangsUp(out)
		s.over(third)
		s.transferred("blind", "caller", "connected")
		s.event("call.completed")
	}, drawn("anna", "switch", "ben", "carol"))
}

// consulted is anna talking to ben, while somebody else is on hold.
func (s *stage) consulted(held *phone.Call, anna, ben *phone.Phone) (asks, asked *phone.Call) {
	s.Helper()
	s.must(held.Hold(s.soon()))
	asks, err := anna.Invite(s.soon(), ben.Name(), phone.Options{})
	s.must(err)
	asked = s.answers(ben)
	s.until(asks, phone.Established)
	s.talk(asks, asked)
	return asks, asked
}

func TestAttendedTransferByTheCallee(t *testing.T) {
	story(t, func(s *stage) {
		a := s.phone("caller", callerAt, phone.Quirks{})
		team := s.colleagues("anna", "ben")
		s.flow(toAnna)
		in := s.calls(a, did)
		first := s.answers(team[0])
		s.until(in, phone.Established)
		s.talk(in, first)
		asks, asked := s.consulted(first, team[0], team[1])
		s.refers(first, phone.ReferToCall(asks))
		s.notified(first, "SIP/2.0 200 OK")
		s.over(first)
		s.over(asks)
		s.talk(in, asked)
		s.hangsUp(in)
		s.over(asked)
		s.transferred("attended", "callee", "connected")
		s.completed("transferred")
		s.completed("hangup")
	}, drawn("caller", "switch", "anna", "ben"))
}

func TestAttendedTransferByTheCaller(t *testing.T) {
	story(t, func(s *stage) {
		team := s.colleagues("anna", "ben", "carol")
		first, err := team[0].Invite(s.soon(), "ben", phone.Options{})
		s.must(err)
		out := s.answers(team[1])
		s.until(first, phone.Established)
		asks, asked := s.consulted(first, team[0], team[2])
		s.refers(asks, phone.ReferToCall(first)) // some phones refer the one, some the other
		s.notified(asks, "SIP/2.0 200 OK")
		s.over(first)
		s.over(asks)
		s.talk(out, asked)
		s.hangsUp(asked)
		s.over(out)
		s.transferred("attended", "caller", "connected")
		s.completed("transferred")
		s.completed("hangup")
	}, drawn("anna", "switch", "ben", "carol"))
}

func TestTransferToSomebodyBusy(t *testing.T) {
	story(t, func(s *stage) {
		a := s.phone("caller", callerAt, phone.Quirks{})
		team := s.colleagues("anna", "ben")
		s.flow(toAnna)
		in := s.calls(a, did)
		first := s.answers(team[0])
		s.until(in, phone.Established)
		s.must(first.Hold(s.soon()))
		s.refers(first, at("ben"))
		s.must(s.next(team[1]).Reject(486))
		s.notified(first, "SIP/2.0 486 Busy Here")
		s.must(first.Resume(s.soon()))
		pass(time.Second)
		s.talk(in, first)
		// A second REFER in the same dialog says which one a NOTIFY is about.
		s.refers(first, at("ben"))
		second := s.answers(team[1])
		s.over(first)
		s.talk(in, second)
		s.hangsUp(in)
		s.over(second)
		s.transferred("blind", "callee", "busy")
		s.transferred("blind", "callee", "connected")
		s.event("call.completed")
	}, drawn("caller", "switch", "anna", "ben"))
}

// Many phones hang up as soon as a transfer is accepted. When it fails the
// caller comes back to them, and when nobody is there, to where the flow leads.
func TestFailedTransferReturnsTheCaller(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		team := s.colleagues("anna", "ben")
		s.flow(`{"pattern": "*", "destination": "dev_anna", "destination_type": "device",
			"fallback": {"timeout": 10, "action": "phone_number", "action_id": "` + sales + `"}}`)
		in := s.calls(a, did)
		first := s.answers(team[0])
		s.until(in, phone.Established)
		s.refers(first, at("ben"))
		pass(moment)
		s.hangsUp(first)
		s.must(s.next(team[1]).Reject(486))
		again := s.answers(team[0])
		s.talk(in, again)
		s.refers(again, at("ben"))
		pass(moment)
		s.hangsUp(again)
		s.must(s.next(team[1]).Reject(480))
		s.must(s.next(team[0]).Reject(486))
		out := s.answers(b)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.transferred("blind", "callee", "busy")
		s.transferred("blind", "callee", "no_answer")
		s.event("call.completed")
	}, drawn("caller", "switch", "anna", "ben", "sales"))
}

func TestTransfersRefused(t *testing.T) {
	story(t, func(s *stage) {
		a := s.phone("caller", callerAt, phone.Quirks{})
		team := s.colleagues("anna", "ben")
		s.flow(toAnna)
		in := s.calls(a, did)
		first := s.answers(team[0])
		s.until(in, phone.Established)
		s.notReferred(in, at("ben"), 603) // a trunk
		s.notReferred(first, "<sip:ben@example.net>", 403)
		s.notReferred(first, at(sales), 403)
		s.notReferred(first, at("nobody"), 404)
		s.notReferred(first, "<https://example.net/>", 416)
		s.notReferred(first, "<sip:ben@10.0.0.1;method=BYE>", 403)
		s.notReferred(first, "nonsense", 400)
		s.notReferred(first, at("ben")+", "+at("carol"), 400)
		s.refers(first, "<sip:10.0.0.1?Replaces=unknown%3Bto-tag%3D1%3Bfrom-tag%3D2>")
		s.notified(first, "SIP/2.0 481 Call/Transaction Does Not Exist")
		s.talk(in, first)
		s.hangsUp(in)
		s.over(first)
		if n := s.count("call.transferred"); n != 0 {
			s.Errorf("told of %d transfers", n)
		}
		s.event("call.completed")
	}, drawn("caller", "switch", "anna", "ben"), undrawn)
}

// A device may dial these numbers, so it may transfer to them; a trunk that may
// transfer never reaches the outside.
func TestTransferPermissions(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		desk := s.phone("desk", "10.0.5.1:5060", phone.Quirks{})
		s.create("/v2/devices", `{"device_id": "dev_anna", "username": "anna", "password": "correct-horse-anna", "allow_outbound": ["+1415*"]}`)
		s.must(desk.Register(s.soon(), switchAt, "anna", "correct-horse-anna", time.Hour))
		s.flow(toAnna)
		in := s.calls(a, did)
		first := s.answers(desk)
		s.until(in, phone.Established)
		s.notReferred(in, at(sales), 403)
		s.refers(first, "tel:"+sales)
		out := s.answers(b)
		s.over(first)
		s.talk(in, out)
		s.refers(in, at("anna"), phone.Header{Name: "Refer-Sub", Value: "false"})
		back := s.answers(desk)
		s.over(in)
		s.talk(out, back)
		if all := in.Notified(); len(all) > 0 {
			s.Errorf("notified %q", all)
		}
		s.hangsUp(back)
		s.over(out)
		s.event("call.completed")
	}, drawn("caller", "switch", "sales", "desk"), undrawn, config(func(c *configs.Config) { c.Trunks[0].AllowRefer = true }))
}

// The API's transfer out of a conversation that comes to nothing: the two talk on.
func TestFailedAPITransferOutOfAConversation(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		first := s.answers(b)
		s.until(in, phone.Established)
		wait := s.later(0, func() { s.must(s.rings(b, in).Reject(486)) })
		got := s.command(s.event("call.answered").str("call_id"), "transfer", `{"destination": "`+support+`"}`, http.StatusOK)
		wait()
		if got.str("result") != "busy" {
			s.Errorf("%v", got)
		}
		pass(moment)
		s.talk(in, first)
		s.hangsUp(first)
		s.over(in)
		s.transferred("blind", "api", "busy")
		s.event("call.completed")
	})
}

// The caller goes while the new party rings: everybody is let go.
func TestCallerLeavesDuringATransfer(t *testing.T) {
	story(t, func(s *stage) {
		a := s.phone("caller", callerAt, phone.Quirks{})
		team := s.colleagues("anna", "ben")
		s.flow(toAnna)
		in := s.calls(a, did)
		first := s.answers(team[0])
		s.until(in, phone.Established)
		s.refers(first, at("ben"))
		second := s.rings(team[1], in)
		s.hangsUp(in)
		s.over(first)
		s.over(second)
		s.notified(first, "SIP/2.0 487 Request Terminated")
		s.transferred("blind", "callee", "gone")
		s.event("call.completed")
	}, drawn("caller", "switch", "anna", "ben"), undrawn)
}

// A transfer to a number of ours goes through its flow.
func TestTransferToAFlow(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		anna := s.colleagues("anna")[0]
		s.flow(toAnna)
		s.create("/v2/call-flows", `{"name": "other", "phone_number": "`+support+`", "routing": [`+toSales+`]}`)
		in := s.calls(a, did)
		first := s.answers(anna)
		s.until(in, phone.Established)
		s.refers(first, at(support[1:]))
		out := s.answers(b)
		s.over(first)
		s.talk(in, out)
		s.hangsUp(out)
		s.over(in)
		s.event("call.completed")
	}, drawn("caller", "switch", "sales", "anna"), undrawn)
}
