package stories_test

import (
	"net/http"
	"testing"
	"time"

	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// attended is a caller who talks to anna, from whom the API transfers the call to
// ben; what ben does with it is left to the story.
type attended struct {
	*stage
	id        string
	anna, ben *phone.Phone
	in, first *phone.Call
}

func (s *stage) attended() *attended {
	s.Helper()
	a := s.phone("caller", callerAt, phone.Quirks{})
	team := s.colleagues("anna", "ben")
	s.flow(toAnna)
	at := &attended{stage: s, anna: team[0], ben: team[1]}
	at.in = s.calls(a, did)
	at.first = s.answers(at.anna)
	s.until(at.in, phone.Established)
	s.talk(at.in, at.first)
	at.id = s.event("call.answered").str("call_id")
	return at
}

// transfers asks for it and gives what the API tells.
func (s *attended) transfers(more string, meanwhile func()) string {
	s.Helper()
	wait := s.later(0, meanwhile)
	got := s.command(s.id, "transfer", `{"destination": "dev_ben", "destination_type": "device", "transfer_type": "attended"`+more+`}`, http.StatusOK)
	wait()
	return got.str("result")
}

// consults has ben take the call.
func (s *attended) consults() (asks *phone.Call) {
	s.Helper()
	if got := s.transfers("", func() {
		asks = s.rings(s.ben, s.first)
		s.music("the caller", s.in)
		s.must(asks.Accept())
	}); got != "connected" {
		s.Errorf("the transfer is %s", got)
	}
	s.talk(s.first, asks)
	s.music("the caller", s.in)
	if n := s.count("call.transferred"); n != 0 {
		s.Error("it is told before it is known what becomes of it")
	}
	return asks
}

func TestAttendedTransferByTheAPI(t *testing.T) {
	story(t, func(s *stage) {
		at := s.attended()
		second := at.consults()
		if got := s.command(at.id, "transfer", `{"destination": "`+sales+`"}`, http.StatusConflict); got.str("error") != "invalid_call_state" {
			s.Errorf("%v", got)
		}
		s.hangsUp(at.first)
		pass(moment)
		s.talk(at.in, second)
		s.hangsUp(second)
		s.over(at.in)
		s.transferred("attended", "api", "connected")
		done := s.event("call.completed")
		if done.str("completion_reason") != "hangup" || done.str("hangup_source") != "callee" {
			s.Errorf("%v", done)
		}
		attempts := s.get("/v2/calls/" + at.id).list("attempts")
		if len(attempts) != 2 {
			s.Fatalf("%v", attempts)
		}
		for _, one := range attempts {
			if a := doc(one.(map[string]any)); a.str("result") != "connected" || a.str("ended_at") == "" {
				s.Errorf("%v", a)
			}
		}
		s.legsNamed(at.id)
	}, drawn("caller", "switch", "anna", "ben"))
}

// Whoever was asked hangs up: the two talk on, and may try again.
func TestAttendedTransferThatIsNotWanted(t *testing.T) {
	story(t, func(s *stage) {
		at := s.attended()
		second := at.consults()
		s.hangsUp(second)
		pass(moment)
		s.talk(at.in, at.first)
		s.transferred("attended", "api", "returned")
		if got := at.transfers("", func() { s.must(s.next(at.ben).Reject(486)) }); got != "busy" {
			s.Errorf("the transfer is %s", got)
		}
		pass(moment)
		s.talk(at.in, at.first)
		s.transferred("attended", "api", "busy")
		s.hangsUp(at.in)
		s.over(at.first)
		if done := s.event("call.completed"); done.str("hangup_source") != "caller" {
			s.Errorf("%v", done)
		}
	}, drawn("caller", "switch", "anna", "ben"))
}

// Nobody can be asked, and the caller goes where the fallback leads.
func TestAttendedTransferFallsBack(t *testing.T) {
	story(t, func(s *stage) {
		sold := s.phone("sales", carrierAt, phone.Quirks{})
		at := s.attended()
		if got := at.transfers(`, "fallback": {"action": "phone_number", "action_id": "`+sales+`"}`, func() { s.must(s.next(at.ben).Reject(486)) }); got != "busy" {
			s.Errorf("the transfer is %s", got)
		}
		out := s.answers(sold)
		s.over(at.first)
		s.talk(at.in, out)
		s.hangsUp(out)
		s.over(at.in)
		s.transferred("attended", "api", "busy")
		s.event("call.completed")
	}, drawn("caller", "switch", "anna", "ben", "sales"))
}

// Who consults hangs up before anybody has answered: the caller hears it ring.
func TestAttendedTransferTurnsBlind(t *testing.T) {
	story(t, func(s *stage) {
		at := s.attended()
		var second *phone.Call
		if got := at.transfers("", func() {
			second = s.rings(at.ben, at.first)
			s.hangsUp(at.first)
			pass(1500 * time.Millisecond)
			if got := sound.ToneLevel(last(at.in, 300*time.Millisecond), 440); got < -30 {
				s.Errorf("the caller hears no ringback tone: %.1f dBm0", got)
			}
			s.must(second.Accept())
		}); got != "connected" {
			s.Errorf("the transfer is %s", got)
		}
		s.talk(at.in, second)
		s.hangsUp(at.in)
		s.over(second)
		s.transferred("attended", "api", "connected")
		s.event("call.completed")
	}, drawn("caller", "switch", "anna", "ben"), undrawn)
}

// The caller does not wait: those who consult talk on.
func TestCallerLeavesAConsultation(t *testing.T) {
	story(t, func(s *stage) {
		at := s.attended()
		second := at.consults()
		s.hangsUp(at.in)
		s.talk(at.first, second)
		s.hangsUp(second)
		s.over(at.first)
		s.transferred("attended", "api", "returned")
		s.event("call.completed")
	}, drawn("caller", "switch", "anna", "ben"))
}

// The API ends a call while two consult.
func TestHangupDuringAConsultation(t *testing.T) {
	story(t, func(s *stage) {
		at := s.attended()
		second := at.consults()
		s.command(at.id, "hangup", "", http.StatusOK)
		for _, c := range []*phone.Call{at.in, at.first, second} {
			s.over(c)
		}
		s.transferred("attended", "api", "gone")
		s.event("call.completed")
	}, drawn("caller", "switch", "anna", "ben"))
}

// A caller who talks to nobody hears music until the new party answers.
func TestAttendedTransferOfACallerAlone(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		in, id := s.taken(a)
		var out *phone.Call
		wait := s.later(0, func() {
			out = s.next(b)
			out.Ring()
			pass(time.Second)
			s.music("the caller", in)
			s.must(out.Accept())
		})
		got := s.command(id, "transfer", `{"destination": "`+sales+`", "transfer_type": "attended"}`, http.StatusOK)
		wait()
		if got.str("result") != "connected" {
			s.Errorf("%v", got)
		}
		s.talk(in, out)
		s.hangsUp(out)
		s.over(in)
		s.transferred("attended", "api", "connected")
		s.event("call.completed")
	})
}

// Who consults hangs up while it rings, and then nobody answers: the fallback goes
// before who has hung up.
func TestAttendedTransferTurnsBlindAndFallsBack(t *testing.T) {
	story(t, func(s *stage) {
		sold := s.phone("sales", carrierAt, phone.Quirks{})
		at := s.attended()
		if got := at.transfers(`, "fallback": {"action": "phone_number", "action_id": "`+sales+`"}`, func() {
			second := s.rings(at.ben, at.first)
			s.hangsUp(at.first)
			pass(moment)
			s.must(second.Reject(486))
		}); got != "busy" {
			s.Errorf("the transfer is %s", got)
		}
		out := s.answers(sold)
		s.talk(at.in, out)
		s.hangsUp(out)
		s.over(at.in)
		s.transferred("attended", "api", "busy")
		s.event("call.completed")
	}, drawn("caller", "switch", "anna", "ben", "sales"), undrawn)
}

// Both who consult hang up at once: whatever comes first, nobody is left and the
// transfer is told once.
func TestBothLeaveAConsultation(t *testing.T) {
	for _, first := range []string{"anna", "ben"} {
		t.Run(first+" first", func(t *testing.T) {
			story(t, func(s *stage) {
				at := s.attended()
				second := at.consults()
				one, other := at.first, second
				if first == "ben" {
					one, other = other, one
				}
				wait := s.later(0, func() { _ = other.Hangup(s.soon()) })
				_ = one.Hangup(s.soon())
				wait()
				s.over(at.in)
				s.event("call.completed")
				if n := s.count("call.transferred"); n != 1 {
					s.Errorf("told %d times", n)
				}
			}, drawn("caller", "switch", "anna", "ben"), undrawn)
		})
	}
}

// What the two say who consult is not recorded, and nothing is played to them.
func TestConsultationIsPrivate(t *testing.T) {
	story(t, func(s *stage) {
		at := s.attended()
		s.command(at.id, "record/start", `{"format": "wav", "channels": "dual"}`, http.StatusOK)
		pass(time.Second)
		second := at.consults()
		s.event("recording.paused")
		for _, verb := range []string{"play-audio", "gather-dtmf", "mute", "hold", "record/resume", "record/pause"} {
			body := map[string]string{"play-audio": `{"message": "hello"}`, "gather-dtmf": `{"max_digits": 1}`}[verb]
			if e := s.command(at.id, verb, body, http.StatusConflict); e.str("error") != "invalid_call_state" {
				s.Errorf("%s: %v", verb, e)
			}
		}
		at.first.SendTone(callerTone, toneLevel, time.Second)
		second.SendTone(salesTone, toneLevel, time.Second)
		pass(2 * time.Second)
		s.hangsUp(at.first)
		s.event("recording.resumed")
		pass(time.Second)
		at.in.SendTone(2*callerTone, toneLevel, time.Second)
		pass(2 * time.Second)
		s.hangsUp(at.in)
		s.over(second)
		file := s.download("/v2/recordings/" + s.event("recording.completed").str("recording_id") + "/audio")
		s.event("call.completed")
		heard := false
		for _, pcm := range s.channels(file) {
			heard = heard || len(sound.Tones(pcm, 2*callerTone, toneLevel-3)) > 0
			if len(sound.Tones(pcm, callerTone, toneLevel-6)) > 0 || len(sound.Tones(pcm, salesTone, toneLevel-6)) > 0 {
				s.Error("the consultation is recorded")
			}
		}
		if !heard {
			s.Error("the caller is not recorded afterwards")
		}
	}, undrawn)
}
