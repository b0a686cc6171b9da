package stories_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

const greetingTone = 700.0

// owner is anna with her box, which the number of the stories leads to; support
// is where owners call in from elsewhere.
func (s *stage) owner(more string) (anna *phone.Phone) {
	s.Helper()
	s.create("/v2/voicemail-boxes", `{"voicemail_box_id": "vm_anna", "name": "anna", "number": "700", "pin": "4711", "greeting": "Hello.", "timezone": "America/New_York"`+more+`}`)
	anna = s.phone("anna", "10.0.5.1:5060", phone.Quirks{})
	s.create("/v2/devices", `{"device_id": "dev_anna", "username": "anna", "password": "correct-horse-anna", "voicemail_box_id": "vm_anna",
		"number": "+14155552680", "allow_outbound": ["+14155552672"]}`)
	s.must(anna.Register(s.soon(), switchAt, "anna", "correct-horse-anna", time.Hour))
	s.flow(rule("*", "vm_anna", "voicemail"))
	s.create("/v2/call-flows", `{"name": "access", "phone_number": "`+support+`", "routing": [`+rule("*", "*", "voicemail_access")+`]}`)
	return anna
}

// listens is the owner's call, once the PIN is given.
func (s *stage) listens(p *phone.Phone, number, keys string) *phone.Call {
	s.Helper()
	c, err := p.Invite(s.soon(), number, phone.Options{})
	s.must(err)
	s.until(c, phone.Established)
	s.presses(c, keys)
	return c
}

// hearsTone waits until a tone is heard for half a second.
func (s *stage) hearsTone(what string, c *phone.Call, freq float64) {
	s.Helper()
	for range 400 {
		pcm := last(c, 500*time.Millisecond)
		if sound.ToneLevel(pcm, freq) > -25 && sound.Purity(pcm, freq) > 10 {
			return
		}
		pass(100 * time.Millisecond)
	}
	s.Fatalf("%s is not heard", what)
}

// falls waits until nothing is said for a while.
func (s *stage) falls(c *phone.Call) {
	s.Helper()
	for range 400 {
		if len(sound.Loud(last(c, 1500*time.Millisecond), -45, 20*time.Millisecond)) == 0 {
			return
		}
		pass(100 * time.Millisecond)
	}
	s.Fatal("it is never silent")
}

// The owner listens, deletes and records a greeting by keys, all typed ahead where
// that is possible; the lamp follows, and callers hear the greeting. No key is told.
func TestOwnerOfABox(t *testing.T) {
	story(t, func(s *stage) {
		anna := s.owner("")
		a, _ := s.parties()
		s.leavesMessage(s.calls(a, did), "vm_anna")
		s.lamp(anna, "terminated", "1/0")
		s.customer.forget()

		c := s.listens(anna, "700", "4711#")
		s.hearsTone("the message", c, callerTone)
		s.presses(c, "2") // keeps it
		s.lamp(anna, "terminated", "0/1")
		pass(time.Second)
		s.presses(c, "13")
		s.lamp(anna, "terminated", "0/0")
		if n := len(s.messages("vm_anna")); n != 0 {
			s.Errorf("%d messages in the box", n)
		}
		s.presses(c, "92")
		s.beep(c)
		c.SendTone(greetingTone, toneLevel, 2*time.Second)
		pass(2100 * time.Millisecond)
		s.presses(c, "#1")
		s.hearsTone("the greeting", c, greetingTone)
		s.presses(c, "3")
		s.falls(c)
		s.hangsUp(c)
		done := s.event("call.completed")
		for _, e := range s.told() {
			if e == "call.dtmf" || e == "call.gather.completed" {
				s.Errorf("told of %s", e)
			}
		}
		id := done.str("call_id")
		for where, text := range map[string]string{"trace": s.trace(id), "log": s.logs.String()} {
			if strings.Contains(text, "4711") {
				s.Errorf("the PIN is in the %s", where)
			}
		}
		box := s.get("/v2/voicemail-boxes/vm_anna")
		if ref := box.str("recorded_greeting"); !strings.HasPrefix(ref, "prompt_greeting_") || box.str("greeting") != "Hello." || box["pin"] != nil {
			s.Errorf("the box is %v", box)
		}

		in := s.calls(a, did)
		s.until(in, phone.Established)
		s.hearsTone("the recorded greeting", in, greetingTone)
		s.hangsUp(in)
		s.event("voicemail.abandoned")

		c = s.listens(anna, "*97", "4711#93")
		s.falls(c)
		s.hangsUp(c)
		if box := s.get("/v2/voicemail-boxes/vm_anna"); box.str("recorded_greeting") != "" {
			s.Errorf("the greeting is still in use: %v", box)
		}
	}, drawn("caller", "switch", "anna"), undrawn)
}

// From elsewhere the number of the box is asked for, and a wrong PIN and a box that
// is not there sound the same. After five wrong ones in a row the right one is
// wrong, too, for a while, but not on the owner's own phone.
func TestStrangersAtABox(t *testing.T) {
	story(t, func(s *stage) {
		anna := s.owner("")
		a, _ := s.parties()
		s.leavesMessage(s.calls(a, did), "vm_anna")
		away := func(keys string) *phone.Call {
			c := s.calls(a, support)
			s.until(c, phone.Established)
			s.presses(c, keys)
			return c
		}
		c := away("700#4711#")
		s.hearsTone("the message", c, callerTone)
		s.hangsUp(c)

		heard := map[string]time.Duration{}
		for what, keys := range map[string]string{"wrong": "700#1111#", "nobody": "799#1111#"} {
			c := away(keys)
			s.falls(c) // "That is not right", and the number is asked for again
			for range 2 {
				s.presses(c, keys)
				s.falls(c)
			}
			s.over(c)
			heard[what] = sound.Time(len(c.Heard()))
		}
		if d := heard["wrong"] - heard["nobody"]; d < -time.Second || d > time.Second {
			s.Errorf("the calls last %v", heard)
		}
		for range 2 {
			c := away("700#1111#")
			s.falls(c)
			s.hangsUp(c)
		}
		if is := s.get("/v2/voicemail-boxes/vm_anna"); doc(is["status"].(map[string]any)).str("locked_until") == "" {
			s.Errorf("the box is not locked: %v", is)
		}
		c = away("700#4711#")
		pass(8 * time.Second)
		if got := sound.ToneLevel(last(c, time.Second), callerTone); got > -40 {
			s.Error("a locked box was opened")
		}
		s.hangsUp(c)
		c = s.listens(anna, "700", "4711#")
		s.hearsTone("the message, on the owner's phone,", c, callerTone)
		s.hangsUp(c)
		pass(6 * time.Minute)
		c = away("700#4711#")
		s.hearsTone("the message, once the lock is over,", c, callerTone)
		s.hangsUp(c)
		s.quietly()
	}, undrawn)
}

// quietly waits for the calls to be told of.
func (s *stage) quietly() {
	s.Helper()
	for range 100 {
		if len(s.leftOver()) == 0 {
			return
		}
		pass(time.Second)
	}
}

// Who left a message is called back where the owner's phone may dial, and from a
// foreign phone not at all.
func TestOwnerCallsBack(t *testing.T) {
	story(t, func(s *stage) {
		anna := s.owner("")
		a, b := s.parties()
		s.leavesMessage(s.calls(a, did), "vm_anna")
		c := s.listens(anna, "700", "4711#8")
		out := s.answers(b)
		if !strings.Contains(out.To(), caller) || !strings.Contains(out.From(), "+14155552680") {
			s.Errorf("called %s as %s", out.To(), out.From())
		}
		pass(500 * time.Millisecond)
		s.talk(c, out)
		s.hangsUp(out)
		pass(time.Second)
		s.presses(c, "1") // back in the box
		s.hearsTone("the message", c, callerTone)
		s.hangsUp(c)

		c = s.calls(a, support)
		s.until(c, phone.Established)
		id := s.event("call.initiated", func(e doc) bool { return e.str("to") == support }).str("call_id")
		s.presses(c, "700#4711#8")
		s.falls(c)
		s.hangsUp(c)
		s.event("call.completed", func(e doc) bool { return e.str("call_id") == id })
		if list := s.get("/v2/calls/" + id).list("attempts"); len(list) != 0 {
			s.Errorf("a foreign phone called back: %v", list)
		}
	}, drawn("caller", "switch", "anna", "sales"), undrawn)
}

// A caller who wants a person presses 0; an owner on a foreign phone presses *.
func TestWaysOutOfTheGreeting(t *testing.T) {
	story(t, func(s *stage) {
		s.owner(`, "operator": {"destination": "` + sales + `", "destination_type": "phone_number"}`)
		a, b := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		s.presses(in, "0")
		out := s.answers(b)
		pass(500 * time.Millisecond)
		s.talk(in, out)
		s.hangsUp(out)
		s.over(in)
		if e := s.event("call.completed"); !strings.Contains(s.trace(e.str("call_id")), "operator") {
			s.Error("the trace does not name the operator")
		}
		s.customer.forget()
		s.leavesMessage(s.calls(a, did), "vm_anna")
		in = s.calls(a, did)
		s.until(in, phone.Established)
		s.presses(in, "*4711#")
		s.hearsTone("the message", in, callerTone)
		s.hangsUp(in)
		s.event("call.completed")
	}, undrawn)
}

// The API deletes what the owner is listening to: the owner is told and goes on.
func TestMessageDeletedTwice(t *testing.T) {
	story(t, func(s *stage) {
		anna := s.owner("")
		a, _ := s.parties()
		first := s.leavesMessage(s.calls(a, did), "vm_anna")
		s.customer.forget()
		s.leavesMessage(s.calls(a, did), "vm_anna")
		c := s.listens(anna, "700", "4711#")
		s.hearsTone("the message", c, callerTone)
		s.api(http.MethodDelete, "/v2/voicemail-boxes/vm_anna/messages/"+first.str("message_id"), "", http.StatusNoContent)
		s.presses(c, "3")
		s.hearsTone("the second message", c, callerTone)
		s.presses(c, "3")
		s.falls(c)
		s.hangsUp(c)
		if n := len(s.messages("vm_anna")); n != 0 {
			s.Errorf("%d messages in the box", n)
		}
		s.event("call.completed")
	}, drawn("caller", "switch", "anna"), undrawn)
}
