package stories_test

import (
	"testing"
	"time"

	"b2bua/testbench/phone"
)

// A caller presses a key, hangs up, keeps the place, and is called when it is that
// caller's turn: then a key confirms, and the member is rung.
func TestQueueCallsBack(t *testing.T) {
	story(t, func(s *stage) {
		m := s.queue(`, "callback": {"key": "1", "numbers": ["+1415*"]}, "retry": 1`, "anna")
		a, b := s.parties() // what leaves by the trunk comes to b: it is the caller's own phone then
		busy := s.calls(a, did, phone.Options{From: other})
		talks := s.answers(m[0])
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(8 * time.Second)
		s.presses(in, "1")
		s.over(in) // the switch says goodbye
		if e := s.event("call.dequeued", func(d doc) bool { return d.str("result") == "callback" }); e.str("queue_id") != "queue_x" {
			s.Errorf("%v", e)
		}
		if e := s.event("queue.callback.requested"); e.str("number") != caller {
			s.Errorf("%v", e)
		}
		pass(2 * time.Second)
		s.restarts() // a call back outlives it
		s.over(talks)
		s.over(busy)
		back := s.next(b)
		if back.To() == "" || s.count("queue.callback.requested") != 1 {
			s.Errorf("called %q", back.To())
		}
		s.notRung(m[0], 2*time.Second)
		s.must(back.Accept())
		s.until(back, phone.Established)
		pass(time.Second)
		s.presses(back, "1")
		out := s.answers(m[0])
		s.talk(back, out)
		s.hangsUp(back)
		s.over(out)
		s.event("queue.callback.completed")
		if e := s.event("call.queued", func(d doc) bool { return d["callback"] == true }); e.num("position") != 1 {
			s.Errorf("%v", e)
		}
		if f := s.get("/v2/queues/queue_x/statistics"); f.num("callbacks") != 1 || f.num("waiting") != 0 {
			s.Errorf("%v", f)
		}
	}, undrawn)
}

// A number that the queue may not call stays in line.
func TestQueueCallsNobodyBackWhomItMayNot(t *testing.T) {
	story(t, func(s *stage) {
		m := s.queue(`, "callback": {"key": "1", "numbers": ["+44*"]}`, "anna")
		a := s.phone("caller", callerAt, phone.Quirks{})
		in := s.calls(a, did)
		s.until(in, phone.Established)
		out := s.next(m[0])
		out.Ring()
		pass(time.Second)
		s.presses(in, "1")
		pass(10 * time.Second)
		s.must(out.Accept())
		s.until(out, phone.Established)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
	}, undrawn)
}

// A ring group rings everybody once; the caller is not answered before somebody is.
func TestRingGroup(t *testing.T) {
	story(t, func(s *stage) {
		m := s.queue(`, "ring_timeout": 12`, "anna", "ben")
		s.api("PATCH", "/v2/call-flows/cf_queue", `{"routing": [`+rule("*", "queue_x", "ring_group")+`, `+toSales+`]}`, 200)
		a, b := s.parties()
		in := s.calls(a, did)
		x, y := s.next(m[0]), s.next(m[1])
		x.Ring()
		y.Ring()
		s.until(in, phone.Ringing)
		pass(2 * time.Second)
		s.must(y.Accept())
		s.over(x)
		s.until(in, phone.Established)
		s.talk(in, y)
		s.hangsUp(in)
		s.over(y)
		s.event("call.completed")
		s.customer.forget()

		in = s.calls(a, did)
		began := time.Now()
		x, y = s.next(m[0]), s.next(m[1])
		x.Ring()
		y.Ring()
		out := s.next(b)
		if d := time.Since(began); d < 11900*time.Millisecond || d > 13*time.Second {
			s.Errorf("went on after %v", d)
		}
		s.over(x)
		s.over(y)
		s.must(out.Accept())
		s.until(in, phone.Established)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.dequeued("timeout")
		s.event("call.completed")
	}, undrawn)
}

// Phones log in and out, and pause, by codes.
func TestQueueCodes(t *testing.T) {
	story(t, func(s *stage) {
		m := s.queue("", "anna", "ben")
		state := func() doc {
			return doc(s.get("/v2/queues/queue_x/members").list("data")[0].(map[string]any))
		}
		for _, c := range []struct {
			code       string
			in, paused bool
		}{{"*52", true, true}, {"*53", true, false}, {"*51", false, false}, {"*50", true, false}} {
			in, err := m[0].Invite(s.soon(), c.code, phone.Options{})
			s.must(err)
			s.until(in, phone.Established)
			s.over(in)
			if d := state(); d["logged_in"] != c.in || d["paused"] != c.paused {
				s.Errorf("%s: %v", c.code, d)
			}
		}
		if n := s.count("queue.member.changed"); n != 4 {
			s.Errorf("told %d times", n)
		}
	}, undrawn)
}
