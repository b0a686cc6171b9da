package stories_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/phone"
)

// SIGTERM: new calls are turned away, those that run go on, and are ended with a
// reason when the time is up.
func TestDraining(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.stop()
		pass(time.Second)
		late := s.calls(a, did)
		s.refused(late, 503)
		if after, err := strconv.Atoi(late.Header("Retry-After")); err != nil || after <= 0 {
			s.Errorf("Retry-After %q", late.Header("Retry-After"))
		}
		if w := s.request(http.MethodGet, "/readyz", ""); w.Code != http.StatusServiceUnavailable {
			s.Errorf("readyz says %d", w.Code)
		}
		s.talk(in, out)
		begun := time.Now()
		for _, c := range []*phone.Call{in, out} {
			e := s.over(c)
			if e.By != phone.ByThem || !strings.Contains(e.Header, "cause=503") || !strings.Contains(e.Header, "shutting down") {
				s.Errorf("a party was told %+v", e)
			}
		}
		if took := time.Since(begun); took < 50*time.Second || took > 60*time.Second {
			s.Errorf("the call went on for %v", took)
		}
		s.must(<-s.ended)
		s.ended = nil
		if e := s.event("call.completed"); e.str("completion_reason") != "server_shutdown" || e.str("hangup_source") != "system" {
			s.Errorf("%v", e)
		}
		s.customer.checkOrder()
	})
}

// A fault in one call ends that call and nothing else.
func TestFaultInOneCall(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		first := s.calls(a, did)
		firstOut := s.answers(b)
		second := s.calls(a, did)
		secondOut := s.answers(b)
		s.until(first, phone.Established)
		s.until(second, phone.Established)
		pass(time.Second)
		// The key is told of with a time, and the clock breaks at that moment.
		s.breakClock()
		_ = second.SendDigits(s.soon(), "5") // cut off by the end of the call
		for _, c := range []*phone.Call{second, secondOut} {
			if e := s.over(c); e.By != phone.ByThem {
				s.Errorf("%+v", e)
			}
		}
		if e := s.event("call.failed"); e.str("failure_reason") != "internal_error" {
			s.Errorf("%v", e)
		}
		s.talk(first, firstOut)
		s.hangsUp(first)
		s.over(firstOut)
		s.event("call.completed")
		if !strings.Contains(s.logs.String(), "panic in call") {
			s.Error("the log says nothing of it")
		}
	}, undrawn)
}

// A caller nobody hears any more is hung up on, but not one who holds.
func TestCallerFallsSilent(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.phone("caller", callerAt, phone.Quirks{NoRTP: true})
		b := s.phone("sales", carrierAt, phone.Quirks{})
		begun := time.Now()
		in := s.calls(a, did)
		out := s.answers(b)
		for _, c := range []*phone.Call{in, out} {
			if e := s.over(c); e.By != phone.ByThem || !strings.Contains(e.Header, "No RTP from the caller") {
				s.Errorf("%+v", e)
			}
		}
		if took := time.Since(begun); took > 65*time.Second {
			s.Errorf("it took %v", took)
		}
		if e := s.event("call.completed"); e.str("completion_reason") != "media_timeout" {
			s.Errorf("%v", e)
		}
	})
}

// An answer whose ACK never comes is a call that ends after 32 s (RFC 3261
// §13.3.1.4).
func TestCallerNeverAcknowledges(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.phone("caller", callerAt, phone.Quirks{NoACK: true})
		b := s.phone("sales", carrierAt, phone.Quirks{})
		s.calls(a, did)
		out := s.answers(b)
		begun := time.Now()
		s.over(out)
		if took := time.Since(begun); took < 31*time.Second || took > 33*time.Second {
			s.Errorf("it took %v", took)
		}
		if e := s.event("call.completed"); e.str("completion_reason") != "ack_timeout" {
			s.Errorf("%v", e)
		}
	})
}
