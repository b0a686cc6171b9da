package stories_test

import (
	"net/http"
	"testing"
	"time"

	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// A transfer is told as it came out: connected when somebody or something has
// taken the call, missing when there is nobody of that name; the application
// that asked decides again.
func TestTransferIsToldAsItCameOut(t *testing.T) {
	story(t, func(s *stage) {
		a, _ := s.parties()
		in, id := s.taken(a)
		for body, want := range map[string]string{
			`{"destination": "nobody", "destination_type": "device"}`:     "destination_missing",
			`{"destination": "vm_none", "destination_type": "voicemail"}`: "destination_missing",
			`{"destination": "queue_none", "destination_type": "queue"}`:  "destination_missing",
		} {
			if got := s.command(id, "transfer", body, http.StatusOK); got.str("result") != want {
				s.Errorf("%s: %v", body, got)
			}
		}
		if got := s.command(id, "transfer", `{"destination": "bye", "destination_type": "hangup"}`, http.StatusOK); got.str("result") != "connected" {
			s.Errorf("%v", got)
		}
		s.over(in)
		s.event("call.completed")
		if n := s.count("call.transferred"); n != 4 {
			s.Errorf("told of %d transfers", n)
		}
	}, undrawn)
}

// While somebody is rung for an answered caller there is a tone, which comes
// back after what the application plays into it; keys cannot be asked for.
func TestRingbackComesBackAfterPlaying(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		in, id := s.taken(a)
		wait := s.later(0, func() { s.command(id, "transfer", `{"destination": "`+sales+`"}`, http.StatusOK) })
		out := s.next(b)
		out.Ring()
		pass(time.Second)
		for range 2 {
			s.command(id, "play-audio", `{"message": "One moment."}`, http.StatusOK)
		}
		s.command(id, "gather-dtmf", `{}`, http.StatusConflict)
		pass(6 * time.Second)
		in.Forget()
		pass(6 * time.Second)
		if got := sound.ToneLevel(in.Heard(), 440); got < -40 {
			s.Errorf("the ringback tone is at %.1f dBm0 after a playback", got)
		}
		s.must(out.Accept())
		wait()
		s.until(out, phone.Established)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, undrawn)
}

// An application that never comes is given up, whether the caller was answered
// before or not.
func TestAnAnsweredCallerDoesNotWaitForEver(t *testing.T) {
	story(t, func(s *stage) {
		s.menu("menu_app", "One.", `, "options": [{"digit": "1", "destination": "app", "destination_type": "application"}]`)
		s.api(http.MethodPost, "/v2/call-flows", `{"name": "App", "phone_number": "+14155552679", "routing": [`+rule("*", "menu_app", "ivr_menu")+`]}`, http.StatusCreated)
		a, _ := s.parties()
		in := s.calls(a, "+14155552679")
		s.until(in, phone.Established)
		s.presses(in, "1")
		begun := time.Now()
		s.over(in)
		if took := time.Since(begun); took < 55*time.Second || took > 90*time.Second {
			s.Errorf("it waited for %v", took)
		}
		s.event("call.failed")
	}, undrawn)
}
