package stories_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"b2bua/testbench/phone"
)

func TestCallerHoldsAndResumes(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.must(in.Hold(s.soon()))
		pass(90 * time.Second) // longer than the media time-out
		if e := s.event("call.held"); e.str("by") != "caller" {
			s.Errorf("%v", e)
		}
		if in.State() != phone.Established || out.State() != phone.Established {
			s.Fatalf("the call is %v and %v", in.State(), out.State())
		}
		s.must(in.Resume(s.soon()))
		pass(time.Second)
		if e := s.event("call.resumed"); e.str("by") != "caller" {
			s.Errorf("%v", e)
		}
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

func TestCodecChanges(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.must(in.Reinvite(s.soon(), phone.SendRecv, phone.PCMA))
		if in.Codec() != phone.PCMA || out.Codec() != phone.PCMU {
			s.Errorf("%s and %s", in.Codec(), out.Codec())
		}
		pass(time.Second)
		s.talk(in, out)
		// One we do not have leaves all as it was (RFC 3261 §14.2).
		var status *phone.StatusError
		if err := in.Reinvite(s.soon(), phone.SendRecv, "G729"); !errors.As(err, &status) || status.Code != 488 {
			s.Errorf("%v", err)
		}
		pass(time.Second)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

func TestCodecsAreTranslated(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.phone("caller", callerAt, phone.Quirks{}, phone.PCMU)
		b := s.phone("sales", carrierAt, phone.Quirks{}, phone.PCMA)
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		if in.Codec() != phone.PCMU || out.Codec() != phone.PCMA {
			s.Errorf("%s and %s", in.Codec(), out.Codec())
		}
		pass(time.Second)
		s.talk(in, out)
		s.presses(in, "42#")
		pass(time.Second)
		if got := out.Digits(); got != "42#" {
			s.Errorf("sales got the keys %q", got)
		}
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

func TestCallerWithoutAnOffer(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did, phone.Options{NoOffer: true})
		out := s.answers(b)
		s.until(in, phone.Established)
		pass(time.Second)
		s.talk(in, out)
		s.hangsUp(out)
		s.over(in)
		s.event("call.completed")
	})
}

func TestCalleeHoldsAndResumes(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.must(out.Hold(s.soon()))
		pass(90 * time.Second)
		if e := s.event("call.held"); e.str("by") != "callee" {
			s.Errorf("%v", e)
		}
		s.must(out.Resume(s.soon()))
		pass(time.Second)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

// The API plays something into a conversation; then the two talk on.
func TestPlayAudioIntoAConversation(t *testing.T) {
	story(t, func(s *stage) {
		s.customer.files["tone.wav"] = wav(1200, -10, 2*time.Second)
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		id := s.event("call.initiated").str("call_id")
		s.command(id, "play-audio", `{"audio_url": "https://`+customerHost+`/files/tone.wav"}`, http.StatusOK)
		pass(time.Second)
		s.level("the caller hears", last(in, 300*time.Millisecond), 1200, -10)
		s.event("playback.completed")
		pass(time.Second)
		s.talk(in, out)
		if e := s.command(id, "gather-dtmf", `{}`, http.StatusConflict); e.str("error") != "invalid_call_state" {
			s.Errorf("%v", e)
		}
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, undrawn)
}

// Carriers write the number called with or without its plus.
func TestNumberWithoutPlus(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did[1:], phone.Options{From: caller[1:]})
		out := s.answers(b)
		s.hangsUp(in)
		s.over(out)
		if e := s.event("call.initiated"); e.str("from") != caller || e.str("to") != did {
			s.Errorf("%v", e)
		}
		s.event("call.completed")
	}, undrawn)
}
