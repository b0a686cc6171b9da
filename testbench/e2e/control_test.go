//go:build e2e

package e2e

import (
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// A number without a flow rings until a program takes the call: it answers with a sentence, collects keys, plays,
// records, sends the call on to somebody, and hangs up.
func TestProgramControlsACall(t *testing.T) {
	s := StartSwitch(t, answering(t).Address())
	hook := Listen(s)
	s.Create("/v2/phone-numbers", doc{"phone_number": did})
	phone := peers.StartBaresip(t, peers.Tone(t, 440, level, time.Minute), peers.Account{User: caller, Manual: true})
	phone.Command("dial", s.URI(did))
	phone.Await("CALL_RINGING", 5*time.Second)
	id := hook.Await("call.ringing", 5*time.Second).str("data", "call_id")

	s.Act(id, "answer", `{"action": "play_audio", "message": "Thank you for calling. You will be connected shortly.", "language": "en-US"}`)
	phone.Await("CALL_ESTABLISHED", 5*time.Second)
	s.Do("POST", "/v2/calls/"+id+"/decline", doc{"reason": "busy"}, 409) // too late for that

	pressed := make(chan struct{})
	go func() {
		defer close(pressed)
		for _, key := range []string{"4", "2", "#"} {
			peers.Talk(700 * time.Millisecond)
			phone.Press(key)
		}
	}()
	got := s.Act(id, "gather-dtmf", doc{"prompt": "Enter your number.", "max_digits": 5, "timeout": 10})
	<-pressed
	if got.str("digits") != "42" || got.str("reason") != "finish_key" || got.str("terminator") != "#" {
		t.Errorf("gathered: %v", got)
	}

	s.Act(id, "record", doc{"format": "wav"})
	s.Act(id, "play-audio", doc{"message": "One moment.", "language": "en-US"})
	moved := s.Act(id, "transfer", doc{"destination": sales, "destination_type": "phone_number"})
	if moved.num("sip_code") != 200 {
		t.Errorf("transfer: %v", moved)
	}
	hook.AwaitThat("call.bridged", 5*time.Second, func(d doc) bool { return d.str("call_id") == id })
	peers.Talk(4 * time.Second)
	s.Act(id, "record/stop", doc{})
	s.Act(id, "hangup", doc{})
	phone.Await("CALL_CLOSED", 5*time.Second)

	s.Do("POST", "/v2/calls/"+id+"/play-audio", doc{"message": "Too late."}, 409)
	rec := hook.AwaitThat("recording.completed", 10*time.Second, func(d doc) bool { return d.str("call_id") == id })
	// The trunk echoes: both sides are the caller's own tone, so all that is asked is that it is there.
	if s.Get("/v2/recordings/"+rec.str("data", "recording_id")).str("format") != "wav" {
		t.Errorf("recording: %v", rec)
	}
	wav := peers.ToWAV(t, s.Fetch("/v2/recordings/"+rec.str("data", "recording_id")+"/audio", "call.wav"))
	if got := peers.Level(t, wav, 0, 440, peers.Length(t, wav)-3*time.Second, 1500*time.Millisecond); got < level-12 {
		t.Errorf("the recording has the caller's tone at %.1f dBFS", got)
	}
	// The echo of the trunk: the caller hears himself as loud as he spoke.
	hears(t, "the caller", phone.Heard(), 440, peers.Length(t, phone.Heard())-3*time.Second)
}

func TestDeclineIsHeardAsBusy(t *testing.T) {
	s := StartSwitch(t, nobody(t))
	hook := Listen(s)
	s.Create("/v2/phone-numbers", doc{"phone_number": did})
	phone := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uac_expect_486", Target: s.SIP, Service: did})
	id := hook.Await("call.ringing", 5*time.Second).str("data", "call_id")
	s.Act(id, "decline", doc{"reason": "busy"})
	if r := phone.Result(10 * time.Second); r.Exit != 0 {
		t.Errorf("caller: %+v", r)
	}
}

// A caller who gives up while the far end rings: 487 for him, CANCEL for the far end, one call.failed or
// call.completed, and nothing left.
func TestCallerGivesUp(t *testing.T) {
	trunk := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uas_no_answer"})
	s := StartSwitch(t, trunk.Address())
	s.Flow(rule("phone_number", sales))
	r := peers.StartSIPp(t, peers.SIPpRun{
		Scenario: "uac_cancel", Target: s.SIP, Service: did, Keys: map[string]string{"ring_ms": "500"},
	}).Result(10 * time.Second)
	if r.Exit != 0 {
		t.Errorf("caller: %+v", r)
	}
	if r := trunk.Result(10 * time.Second); r.Exit != 0 {
		t.Errorf("trunk: %+v", r)
	}
	s.quiet()
}

// The far end hangs up: the caller gets a BYE.
func TestFarEndHangsUp(t *testing.T) {
	trunk := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uas_hangup", Keys: map[string]string{"ring_ms": "50", "talk_ms": "500"}})
	s := StartSwitch(t, trunk.Address())
	hook := Listen(s)
	s.Flow(rule("phone_number", sales))
	r := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uac_stay", Target: s.SIP, Service: did}).Result(10 * time.Second)
	if r.Exit != 0 {
		t.Errorf("caller: %+v", r)
	}
	done := hook.Await("call.completed", 5*time.Second)
	if done.str("data", "hangup_source") != "callee" {
		t.Errorf("call.completed: %v", done)
	}
}
