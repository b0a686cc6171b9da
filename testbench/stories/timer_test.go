package stories_test

import (
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/testbench/phone"
)

// patient lets calls be silent, so that half an hour passes quickly.
func patient(c *configs.Config) { c.Media.Timeout = configs.Duration(4 * time.Hour) }

var silent = phone.Quirks{NoRTP: true}

// A far end sends its early media reliably, and the caller gets it reliably, too
// (RFC 3262).
func TestReliableEarlyMedia(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did, phone.Options{Headers: []phone.Header{{Name: "Supported", Value: "100rel"}}})
		out := s.next(b)
		s.must(out.ProgressReliably(s.soon(), 183, "Session Progress", true))
		out.SendTone(salesTone, toneLevel, 2*time.Second)
		pass(1500 * time.Millisecond)
		s.level("before the answer the caller hears", last(in, time.Second), salesTone, toneLevel)
		s.must(out.Accept())
		s.until(in, phone.Established)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

func TestCallerInsistsOnReliableRinging(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did, phone.Options{Headers: []phone.Header{{Name: "Require", Value: "100rel"}}})
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

// Neither side knows timers: we refresh both, by INVITE, every 15 minutes.
func TestRefreshedByInvite(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.phone("caller", callerAt, silent), s.phone("sales", carrierAt, silent)
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		pass(31 * time.Minute)
		if in.State() != phone.Established || out.State() != phone.Established {
			s.Fatalf("the call is %v and %v", in.State(), out.State())
		}
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, config(patient))
}

// The callee knows timers and UPDATE, and leaves the refreshes to us.
func TestRefreshedByUpdate(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.phone("caller", callerAt, silent)
		b := s.phone("sales", carrierAt, phone.Quirks{NoRTP: true, Answer: []phone.Header{
			{Name: "Allow", Value: "UPDATE"}, {Name: "Supported", Value: "timer"}, {Name: "Session-Expires", Value: "1800;refresher=uac"}}})
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		pass(31 * time.Minute)
		if n := out.Updates(); n != 2 {
			s.Errorf("%d refreshes", n)
		}
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, config(patient))
}

// The caller promises to refresh, does so twice, and stops (RFC 4028 §10).
func TestCallerStopsRefreshing(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.phone("caller", callerAt, silent), s.phone("sales", carrierAt, silent)
		timer := []phone.Header{{Name: "Supported", Value: "timer"}, {Name: "Session-Expires", Value: "180;refresher=uac"}}
		in := s.calls(a, did, phone.Options{Headers: timer})
		out := s.answers(b)
		s.until(in, phone.Established)
		for range 2 {
			pass(90 * time.Second)
			s.must(in.Update(s.soon(), "", timer...))
		}
		at := time.Now()
		if e := s.over(in); e.By != phone.ByThem || e.Header != `SIP;cause=408;text="Session expired"` {
			s.Errorf("the caller was told %+v", e)
		}
		if took := time.Since(at).Round(time.Second); took != 148*time.Second {
			s.Errorf("after %v", took)
		}
		if e := s.over(out); e.Header != `SIP;cause=408;text="Session expired"` {
			s.Errorf("sales was told %+v", e)
		}
		if e := s.event("call.completed"); e.str("completion_reason") != "session_expired" || e.str("hangup_source") != "system" {
			s.Errorf("%v", e)
		}
	}, config(patient))
}

func TestSessionTooShort(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, _ := s.parties()
		in := s.calls(a, did, phone.Options{Headers: []phone.Header{{Name: "Supported", Value: "timer"}, {Name: "Session-Expires", Value: "60"}}})
		s.refused(in, 422)
		if got := in.Header("Min-SE"); got != "90" {
			s.Errorf("Min-SE %q", got)
		}
	})
}

func TestHoldByUpdate(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.must(in.Update(s.soon(), phone.SendOnly))
		if e := s.event("call.held"); e.str("by") != "caller" {
			s.Errorf("%v", e)
		}
		pass(time.Second)
		s.must(in.Update(s.soon(), phone.SendRecv))
		s.event("call.resumed")
		pass(time.Second)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}
