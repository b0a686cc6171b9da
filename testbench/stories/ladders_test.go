package stories_test

import (
	"testing"
	"time"

	"b2bua/testbench/phone"
)

// The carrier lets two phones ring, each in an early dialog of its own, and both
// are answered: the first is taken, the other one gets ACK and BYE (RFC 3261
// §13.2.2.4).
func TestFarEndForks(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		one := s.next(b)
		one.Ring()
		pass(time.Second)
		two, err := one.Fork()
		s.must(err)
		two.Progress1xx(183, "Session Progress", true)
		pass(time.Second)
		s.must(two.Accept())
		s.until(in, phone.Established)
		pass(time.Second)
		s.must(one.Accept())
		if e := s.over(one); e.By != phone.ByThem {
			s.Errorf("%+v", e)
		}
		s.talk(in, two)
		s.hangsUp(in)
		s.over(two)
		s.event("call.completed")
	})
}

// The caller gives up while the answer is on its way: it gets ACK and BYE.
func TestCancelCrossesTheAnswer(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.next(b)
		out.Ring()
		pass(time.Second)
		wait := s.later(0, func() { s.must(in.Cancel(s.soon())) })
		pass(1500 * time.Microsecond) // the CANCEL is at the switch, which sends its own
		s.must(out.Accept())
		wait()
		if e := s.over(out); e.By != phone.ByThem {
			s.Errorf("%+v", e)
		}
		s.event("call.failed")
	})
}

// A redirection of a trunk is no order (RFC 3261 §8.1.3.4 leaves it to us).
func TestRedirectionIsNotFollowed(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.next(b)
		s.must(out.Refuse(302, "Moved Temporarily", phone.Header{Name: "Contact", Value: "<sip:" + support + "@" + carrierAt + ">"}))
		s.refused(in, 480)
		s.event("call.failed")
	})
}

// The carrier wants sessions refreshed less often than we offered, and gets its
// way (RFC 4028 §6).
func TestCarrierWantsLongerSessions(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		first := s.next(b)
		s.must(first.Refuse(422, "Session Interval Too Small", phone.Header{Name: "Min-SE", Value: "3600"}))
		out := s.answers(b)
		if got := out.Header("Session-Expires"); got != "3600" || out.ID() != first.ID() {
			s.Errorf("Session-Expires %s in call %s after %s", got, out.ID(), first.ID())
		}
		s.until(in, phone.Established)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

// Both sides hold at once, and the switch passes holds on: each meets an offer
// that goes the other way, 491, and tries again (RFC 3261 §14).
func TestGlareOnBothSides(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		// The caller's is passed on while that of sales is under way.
		wait := s.later(1500*time.Microsecond, func() { s.insists(func() error { return out.Hold(s.soon()) }) })
		s.insists(func() error { return in.Hold(s.soon()) })
		wait()
		pass(10 * time.Second)
		wait = s.later(5*time.Second, func() { s.insists(func() error { return out.Resume(s.soon()) }) })
		s.insists(func() error { return in.Resume(s.soon()) })
		wait()
		pass(5 * time.Second)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, relayed)
}

// Both ask after the other within the call: OPTIONS, INFO with a key, and what
// nobody knows.
func TestRequestsInACall(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.must(in.Ask(s.soon(), "OPTIONS"))
		s.must(out.Ask(s.soon(), "OPTIONS"))
		if err := in.Ask(s.soon(), "FROBNICATE"); err == nil {
			s.Error("FROBNICATE was taken")
		}
		s.must(in.SendInfo(s.soon(), "application/dtmf-relay", "Signal=7\r\nDuration=160\r\n"))
		pass(time.Second)
		s.talk(in, out)
		if got := out.Digits(); got != "7" {
			s.Errorf("sales got %q", got)
		}
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}
