//go:build e2e

package e2e

import (
	"math"
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// Nobody answers, the line is busy, the call is declined, the trunk is out of order or not there at all: each
// time the caller ends up at the voicemail and leaves a message, and the message can be played.
func TestFallbackToVoicemail(t *testing.T) {
	for name, callee := range map[string]string{
		"no answer": "uas_no_answer", "busy": "uas_busy", "declined": "uas_reject",
		"out of order": "uas_503", "unreachable": "",
	} {
		t.Run(name, func(t *testing.T) {
			trunk := nobody(t)
			if callee != "" {
				trunk = peers.StartSIPp(t, peers.SIPpRun{Scenario: callee, Calls: -1}).Address()
			}
			s := StartSwitch(t, trunk)
			hook := Listen(s)
			s.Create("/v2/voicemail-boxes", doc{
				"voicemail_box_id": "vmbox_test", "name": "Test", "greeting": "Hello.", "prompt": "After the beep.",
			})
			s.Flow(with(rule("phone_number", sales), "fallback",
				doc{"timeout": 2, "action": "voicemail", "action_id": "vmbox_test"}))
			messageArrives(t, s, hook, "vmbox_test")
		})
	}
}

// messageArrives calls, speaks a tone into the voicemail, hangs up, and wants the message: told, listed, playable.
func messageArrives(t *testing.T, s *Switch, hook *Receiver, box string) {
	t.Helper()
	phone := peers.StartBaresip(t, peers.Tone(t, 1000, level, time.Minute), peers.Account{User: caller, Manual: true})
	phone.Call(s.URI(did), 15*time.Second)
	// Greeting, prompt and beep take about three seconds; more than that may be spoken into them.
	peers.Talk(8 * time.Second)
	phone.Hangup()
	phone.Await("CALL_CLOSED", 5*time.Second)

	received := hook.Await("voicemail.received", 10*time.Second)
	if received.str("data", "from") != caller {
		t.Errorf("voicemail.received: %v", received)
	}
	list := s.Get("/v2/voicemail-boxes/" + box + "/messages")
	message := list.str("data", 0, "message_id")
	if message == "" || list.str("data", 0, "from") != caller {
		t.Fatalf("messages: %v", list)
	}
	wav := peers.ToWAV(t, s.Fetch("/v2/voicemail-boxes/"+box+"/messages/"+message+"/audio", "message.mp3"))
	length := peers.Length(t, wav)
	if length < 2*time.Second || length > 8*time.Second {
		t.Errorf("the message is %v long", length)
	}
	// The beep has the caller's frequency; it is not recorded, so the level from the first sample on is the caller's.
	if got := peers.Level(t, wav, 0, 1000, 0, 1500*time.Millisecond); math.Abs(got-level) > 0.7 {
		t.Errorf("the message has the caller's tone at %.2f dBFS, spoken at %.1f", got, level)
	}
}

// Without a fallback the caller gets the code that fits, and the call counts as failed routing.
func TestNoWayOutIsToldToTheCaller(t *testing.T) {
	for callee, wants := range map[string]string{
		"uas_busy": "uac_expect_486", "uas_reject": "uac_expect_486", "uas_404": "uac_expect_404",
		"uas_488": "uac_relayed_488", "uas_503": "uac_expect_503", "": "uac_expect_503",
	} {
		t.Run(callee+" "+wants, func(t *testing.T) {
			trunk := nobody(t)
			if callee != "" {
				trunk = peers.StartSIPp(t, peers.SIPpRun{Scenario: callee, Calls: -1}).Address()
			}
			s := StartSwitch(t, trunk)
			hook := Listen(s)
			s.Flow(rule("phone_number", sales))
			r := peers.StartSIPp(t, peers.SIPpRun{Scenario: wants, Target: s.SIP, Service: did}).Result(15 * time.Second)
			if r.Exit != 0 {
				t.Errorf("caller: %+v", r)
			}
			failed := hook.Await("call.failed", 5*time.Second)
			record := s.ended(failed.str("data", "call_id"))
			if record.str("error", "error") != "routing_failed" || record.num("error", "code") != 503 ||
				record.str("error", "message") != "All routing attempts failed" {
				t.Errorf("call record: %v", record)
			}
		})
	}
}
