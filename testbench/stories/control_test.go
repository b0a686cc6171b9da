package stories_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// waiting is a call to a number without a flow: it rings until the API takes it.
func (s *stage) waiting(a *phone.Phone) (in *phone.Call, id string) {
	s.Helper()
	if s.request(http.MethodGet, "/v2/phone-numbers/"+did, "").Code != http.StatusOK {
		s.owns(did, "")
	}
	in = s.calls(a, did)
	s.until(in, phone.Ringing)
	return in, s.event("call.ringing").str("call_id")
}

// taken is such a call that the API has answered.
func (s *stage) taken(a *phone.Phone) (in *phone.Call, id string) {
	s.Helper()
	in, id = s.waiting(a)
	s.command(id, "answer", "", http.StatusOK)
	s.until(in, phone.Established)
	return in, id
}

// later runs f in a moment, while the story waits for a command.
func (s *stage) later(d time.Duration, f func()) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		pass(d)
		f()
	}()
	return func() { <-done }
}

// The page's answer, as it stands there.
func TestAnswerOfThePage(t *testing.T) {
	story(t, func(s *stage) {
		a, _ := s.parties()
		in, id := s.waiting(a)
		pass(2 * time.Second)
		if list := s.get("/v2/calls?status=ringing").list("data"); len(list) != 1 || doc(list[0].(map[string]any)).str("call_id") != id {
			s.Errorf("%v", list)
		}
		path, body := s.fromPage(http.MethodPost, `"play_audio"`)
		path = strings.Replace(path, "call_xyz789", id, 1)
		if got := s.api(http.MethodPost, path, body, http.StatusOK); got.str("status") != "in_progress" {
			s.Errorf("%v", got)
		}
		s.until(in, phone.Established)
		pass(2 * time.Second)
		if level := sound.Level(last(in, time.Second)); level < -40 {
			s.Errorf("the greeting is heard at %.1f dBm0", level)
		}
		if done := s.event("playback.completed"); done.str("reason") != "finished" || done.num("duration") < 2 {
			s.Errorf("%v", done)
		}
		// Answered calls stay as long as the application likes.
		pass(3 * time.Minute)
		if in.State() != phone.Established {
			s.Fatalf("the call is %v", in.State())
		}
		if e := s.api(http.MethodPost, path, body, http.StatusConflict); e.str("error") != "invalid_call_state" || !strings.Contains(e.str("message"), "in_progress") {
			s.Errorf("%v", e)
		}
		s.command(id, "hangup", `{"reason": "all said"}`, http.StatusOK)
		if e := s.over(in); e.By != phone.ByThem {
			s.Errorf("%+v", e)
		}
		if e := s.event("call.completed"); e.str("completion_reason") != "all said" || e.str("hangup_source") != "api" {
			s.Errorf("%v", e)
		}
		if e := s.command(id, "answer", "", http.StatusConflict); e.str("error") != "call_ended" {
			s.Errorf("%v", e)
		}
		if e := s.command("call_nothing", "answer", "", http.StatusNotFound); e.str("error") != "not_found" {
			s.Errorf("%v", e)
		}
	})
}

func TestNobodyTakesTheCall(t *testing.T) {
	story(t, func(s *stage) {
		a, _ := s.parties()
		begun := time.Now()
		in, _ := s.waiting(a)
		s.refused(in, 480)
		if took := time.Since(begun); took < 59*time.Second || took > 61*time.Second {
			s.Errorf("it rang for %v", took)
		}
		s.event("call.failed")
	})
}

func TestDecline(t *testing.T) {
	story(t, func(s *stage) {
		a, _ := s.parties()
		for body, code := range map[string]int{
			`{"reason": "busy"}`: 486, `{"reason": "rejected"}`: 603, `{"reason": "not_found"}`: 404, `{"reason": "unavailable"}`: 480,
			`{"sip_code": 606}`: 606, "": 603,
		} {
			in, id := s.waiting(a)
			s.command(id, "decline", body, http.StatusOK)
			s.refused(in, code)
			if e := s.event("call.failed"); e.str("failure_reason") != "declined" || e.num("sip_code") != float64(code) || e.str("hangup_source") != "api" {
				s.Errorf("%s: %v", body, e)
			}
			s.customer.forget()
		}
	}, undrawn)
}

func TestTransfer(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		in, id := s.taken(a)
		wait := s.later(time.Second, func() { s.must(s.next(b).Reject(486, "Not Now")) })
		got := s.command(id, "transfer", `{"destination": "`+sales+`"}`, http.StatusOK)
		wait()
		if got.str("result") != "busy" || got.num("sip_code") != 486 || got.str("sip_reason") != "Not Now" {
			s.Errorf("%v", got)
		}
		pass(time.Second)
		if in.State() != phone.Established {
			s.Fatalf("after a transfer that failed the call is %v", in.State())
		}

		var out *phone.Call
		wait = s.later(0, func() { out = s.answers(b) })
		got = s.command(id, "transfer", `{"destination": "`+support+`", "destination_type": "phone_number", "transfer_type": "blind", "caller_id": "+14155550111"}`, http.StatusOK)
		wait()
		if got.str("result") != "connected" || got.num("sip_code") != 200 || !strings.Contains(out.From(), "+14155550111") || !strings.Contains(out.To(), support) {
			s.Errorf("%v; from %s to %s", got, out.From(), out.To())
		}
		s.talk(in, out)
		s.hangsUp(out)
		s.over(in)
		if n := s.count("call.transferred"); n != 2 {
			s.Errorf("told of %d transfers", n)
		}
		s.event("call.completed")
	})
}

// A transfer takes the caller away from whom the flow had found.
func TestTransferOutOfAConversation(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		first := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, first)
		var second *phone.Call
		wait := s.later(0, func() { second = s.answers(b) })
		s.command(s.event("call.answered").str("call_id"), "transfer", `{"destination": "`+support+`"}`, http.StatusOK)
		wait()
		if e := s.over(first); e.By != phone.ByThem {
			s.Errorf("%+v", e)
		}
		s.talk(in, second)
		s.hangsUp(in)
		s.over(second)
		s.event("call.completed")
	})
}

func TestGatherDigits(t *testing.T) {
	story(t, func(s *stage) {
		a, _ := s.parties()
		in, id := s.taken(a)
		for _, ask := range []struct {
			body   string
			after  time.Duration
			keys   string
			digits string
			reason string
			more   map[string]any
		}{
			{`{"prompt": "Go.", "max_digits": 4}`, 2 * time.Second, "1234", "1234", "max_digits", map[string]any{"attempts": 1., "terminator": ""}},
			{`{"max_digits": 8}`, time.Second, "12#", "12", "finish_key", map[string]any{"terminator": "#"}},
			{`{"max_digits": 8, "finish_on_key": "*"}`, time.Second, "1#2*", "1#2", "finish_key", map[string]any{"terminator": "*"}},
			{`{"max_digits": 3, "finish_on_key": ""}`, time.Second, "12#", "12#", "max_digits", nil},
			{`{"max_digits": 8, "inter_digit_timeout": 1}`, time.Second, "77", "77", "inter_digit_timeout", nil},
			{`{"max_digits": 4, "min_digits": 3, "max_attempts": 1, "inter_digit_timeout": 1}`, time.Second, "77", "77", "invalid", nil},
			{`{"max_digits": 2, "valid_digits": "123", "max_attempts": 1}`, time.Second, "19", "19", "invalid", nil},
			{`{"max_digits": 1, "timeout": 2, "max_attempts": 3}`, 5 * time.Second, "6", "6", "max_digits", map[string]any{"attempts": 3.}},
			{`{"timeout": 1, "max_attempts": 2, "no_input_prompt": "Well?", "exit_prompt": "Bye."}`, 0, "", "", "no_input", map[string]any{"attempts": 2.}},
			{`{"prompt": "` + longPrompt + `"}`, time.Second, "5", "5", "max_digits", map[string]any{"barged_in": true}},
			{`{"prompt": "` + longPrompt + `", "barge_in": false}`, time.Second, "5", "5", "max_digits", map[string]any{"barged_in": false}},
			{`{"prompt": "` + longPrompt + `", "barge_in": false, "flush_buffer": true, "timeout": 2, "max_attempts": 1}`, time.Second, "5", "", "no_input", nil},
			{`{"max_digits": 4, "sensitive": true}`, time.Second, "9999", "9999", "max_digits", nil},
		} {
			begun := time.Now()
			wait := s.later(ask.after, func() {
				if ask.keys != "" {
					s.presses(in, ask.keys)
				}
			})
			got := s.command(id, "gather-dtmf", ask.body, http.StatusOK)
			wait()
			took := float64(time.Since(begun).Milliseconds())
			if got.str("digits") != ask.digits || got.str("reason") != ask.reason || got.num("duration_ms") <= 0 || got.num("duration_ms") > took {
				s.Errorf("%s: %v", ask.body, got)
			}
			for field, want := range ask.more {
				if got[field] != want {
					s.Errorf("%s: %s is %v, want %v", ask.body, field, got[field], want)
				}
			}
			pass(time.Second)
		}
		for _, e := range s.customer.all() {
			if d := e.obj("data"); strings.Contains(d.str("digits"), "99") || e.str("event") == "call.dtmf" && d.str("digit") == "9" && d.num("sequence") > 60 {
				s.Errorf("a sensitive key was told: %v", e)
			}
		}
		// Hanging up ends the question.
		wait := s.later(time.Second, func() { s.hangsUp(in) })
		if got := s.command(id, "gather-dtmf", `{"timeout": 30}`, http.StatusOK); got.str("reason") != "hangup" {
			s.Errorf("%v", got)
		}
		wait()
		s.event("call.completed")
	}, undrawn)
}

func TestPlayAudio(t *testing.T) {
	story(t, func(s *stage) {
		s.customer.files["tone.wav"] = wav(1200, -10, time.Second)
		a, _ := s.parties()
		in, id := s.waiting(a)
		if e := s.command(id, "play-audio", `{"message": "Go."}`, http.StatusConflict); e.str("error") != "invalid_call_state" {
			s.Errorf("%v", e)
		}
		s.command(id, "answer", "", http.StatusOK)
		s.until(in, phone.Established)
		pass(time.Second)
		s.command(id, "play-audio", `{"audio_url": "https://`+customerHost+`/files/tone.wav", "loop": true}`, http.StatusOK)
		pass(5 * time.Second)
		s.level("the caller hears", last(in, 200*time.Millisecond), 1200, -10)
		s.command(id, "play-audio/stop", "", http.StatusOK)
		pass(time.Second)
		s.quiet("afterwards", last(in, 500*time.Millisecond), 1200)
		if e := s.event("playback.completed"); e.str("reason") != "stopped" || e.num("duration") < 4.8 || e.num("duration") > 5.2 {
			s.Errorf("%v", e)
		}
		s.hangsUp(in)
		s.event("call.completed")
	}, undrawn)
}

func TestTagsOfACall(t *testing.T) {
	story(t, func(s *stage) {
		a, _ := s.parties()
		in, id := s.taken(a)
		s.command(id, "tags", `{"tags": {"customer": "acme"}}`, http.StatusOK)
		s.hangsUp(in)
		if e := s.event("call.completed"); e.str("tags", "customer") != "acme" {
			s.Errorf("%v", e)
		}
		if list := s.get("/v2/calls?tag=customer:acme").list("data"); len(list) != 1 {
			s.Errorf("%v", list)
		}
	}, undrawn)
}
