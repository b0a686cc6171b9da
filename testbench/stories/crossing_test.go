package stories_test

import (
	"net/http"
	"testing"
	"time"

	"b2bua/testbench/phone"
)

// Both ends do something at nearly the same moment. Whoever is first, the call
// ends for both, and once.
func TestCrossing(t *testing.T) {
	for name, both := range map[string]func(s *stage, in, out *phone.Call) (first, second func()){
		"cancel and answer": func(s *stage, in, out *phone.Call) (first, second func()) {
			out.Ring()
			pass(time.Second)
			return func() { _ = in.Hangup(s.soon()) }, func() { _ = out.Accept() }
		},
		"cancel and refusal": func(s *stage, in, out *phone.Call) (first, second func()) {
			out.Ring()
			pass(time.Second)
			return func() { _ = in.Hangup(s.soon()) }, func() { _ = out.Reject(486) }
		},
		"bye and bye": func(s *stage, in, out *phone.Call) (first, second func()) {
			s.must(out.Accept())
			s.until(in, phone.Established)
			pass(time.Second)
			return func() { _ = in.Hangup(s.soon()) }, func() { _ = out.Hangup(s.soon()) }
		},
		"bye and re-INVITE": func(s *stage, in, out *phone.Call) (first, second func()) {
			s.must(out.Accept())
			s.until(in, phone.Established)
			pass(time.Second)
			return func() { _ = in.Hangup(s.soon()) }, func() { _ = out.Hold(s.soon()) }
		},
		"hold and hold": func(s *stage, in, out *phone.Call) (first, second func()) {
			s.must(out.Accept())
			s.until(in, phone.Established)
			pass(time.Second)
			return func() { s.must(in.Hold(s.soon())); pass(time.Second); s.hangsUp(in) }, func() { s.must(out.Hold(s.soon())) }
		},
		"API and answer": func(s *stage, in, out *phone.Call) (first, second func()) {
			id := s.event("call.initiated").str("call_id")
			out.Ring()
			pass(time.Second)
			return func() { s.request(http.MethodPost, "/v2/calls/"+id+"/hangup", "") }, func() { _ = out.Accept() }
		},
		"transfer and bye": func(s *stage, in, out *phone.Call) (first, second func()) {
			s.must(out.Accept())
			s.until(in, phone.Established)
			id := s.event("call.initiated").str("call_id")
			pass(time.Second)
			return func() {
				s.request(http.MethodPost, "/v2/calls/"+id+"/transfer", `{"destination": "voicemail_default", "destination_type": "voicemail"}`)
				pass(2 * time.Second)
				_ = in.Hangup(s.soon())
			}, func() { _ = out.Hangup(s.soon()) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *stage) {
				s.flow(toSales)
				a, b := s.parties()
				for ms := -5; ms <= 5; ms++ {
					in := s.calls(a, did)
					out := s.next(b)
					first, second := both(s, in, out)
					lead := s.later(time.Duration(max(0, -ms))*time.Millisecond, first)
					pass(time.Duration(max(0, ms)) * time.Millisecond)
					second()
					lead()
					s.over(in)
					s.over(out)
					for s.count("call.completed")+s.count("call.failed") == 0 {
						pass(100 * time.Millisecond)
					}
					pass(40 * time.Second)
					if left := s.leftOver(); len(left) > 0 {
						s.Fatalf("%d ms: left over %v", ms, left)
					}
					s.customer.forget()
				}
			}, undrawn)
		})
	}
}
