package stories_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/phone"
)

// other is a second caller.
const other = "+14155552699"

// queue makes a queue of devices, which are registered, and the flow to it.
func (s *stage) queue(more string, users ...string) (members []*phone.Phone) {
	s.Helper()
	var list []string
	for i, user := range users {
		p := s.phone(user, fmt.Sprintf("10.0.5.%d:5060", i+1), phone.Quirks{})
		s.device(user, p)
		members = append(members, p)
		list = append(list, `{"destination": "dev_`+user+`", "destination_type": "device"}`)
	}
	s.create("/v2/queues", `{"queue_id": "queue_x", "name": "Sales", "members": [`+strings.Join(list, ", ")+`]`+more+`}`)
	s.create("/v2/call-flows", `{"call_flow_id": "cf_queue", "name": "story", "phone_number": "`+did+`", "routing": [`+rule("*", "queue_x", "queue")+`]}`)
	return members
}

// dequeued waits for the end of the waiting of a call.
func (s *stage) dequeued(result string) doc {
	s.Helper()
	e := s.event("call.dequeued")
	if e.str("result") != result || e.str("queue_id") != "queue_x" {
		s.Errorf("dequeued with %v, want %s", e, result)
	}
	return e
}

// rung is the call that rings a phone within some time, nil without one.
func (s *stage) rung(p *phone.Phone, within time.Duration) *phone.Call {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	c, err := p.Next(ctx)
	if err != nil {
		return nil
	}
	return c
}

// notRung holds a phone to not being rung for some time.
func (s *stage) notRung(p *phone.Phone, within time.Duration) {
	s.Helper()
	if s.rung(p, within) != nil {
		s.Errorf("%s is rung", p.Name())
	}
}

// All members ring, the first to answer gets the caller, the others are told so.
func TestQueueRingsEverybody(t *testing.T) {
	story(t, func(s *stage) {
		m := s.queue("", "anna", "ben", "carl")
		a := s.phone("caller", callerAt, phone.Quirks{})
		in := s.calls(a, did)
		s.until(in, phone.Established)
		var rung []*phone.Call
		for _, p := range m {
			c := s.next(p)
			c.Ring()
			rung = append(rung, c)
		}
		pass(2 * time.Second)
		s.music("the caller", in)
		s.must(rung[1].Accept())
		for _, i := range []int{0, 2} {
			e := s.over(rung[i])
			if e.By != phone.ByThem || !strings.Contains(e.Header, "SIP;cause=200") || !strings.Contains(e.Header, `"Call completed elsewhere"`) {
				s.Errorf("%s was told %+v", m[i].Name(), e)
			}
		}
		s.until(rung[1], phone.Established)
		s.talk(in, rung[1])
		if e := s.event("call.queued"); e.num("position") != 1 || e.str("queue_id") != "queue_x" {
			s.Errorf("%v", e)
		}
		if e := s.dequeued("connected"); e.str("member") != "dev_ben" || e.num("wait") < 2 || e.num("offers") != 1 {
			s.Errorf("%v", e)
		}
		s.hangsUp(rung[1])
		s.over(in)
		done := s.event("call.completed")
		if done.str("completion_reason") != "hangup" || done.str("hangup_source") != "callee" {
			s.Errorf("%v", done)
		}
	}, drawn("caller", "switch", "anna", "ben", "carl"))
}

// Whom each strategy rings, call after call, when everybody takes the call.
func TestQueueStrategies(t *testing.T) {
	for strategy, want := range map[string]string{
		"linear":       "anna anna anna anna",
		"round_robin":  "anna ben carl anna",
		"longest_idle": "anna ben carl anna",
		"fewest_calls": "anna ben carl anna",
	} {
		t.Run(strategy, func(t *testing.T) {
			story(t, func(s *stage) {
				m := s.queue(`, "strategy": "`+strategy+`"`, "anna", "ben", "carl")
				a := s.phone("caller", callerAt, phone.Quirks{})
				var got []string
				for range 4 {
					in := s.calls(a, did)
					s.until(in, phone.Established)
					for _, p := range m {
						out := s.rung(p, 100*time.Millisecond)
						if out == nil {
							continue
						}
						got = append(got, p.Name())
						s.must(out.Accept())
						s.until(out, phone.Established)
						s.hangsUp(in)
						s.over(out)
					}
					pass(time.Second)
				}
				if strings.Join(got, " ") != want {
					s.Errorf("rung: %v, want %s", got, want)
				}
			}, undrawn)
		})
	}
}

// Who does not answer is rung again only when everybody was.
func TestQueueGoesOn(t *testing.T) {
	story(t, func(s *stage) {
		m := s.queue(`, "strategy": "linear", "ring_timeout": 10, "retry": 5`, "anna", "ben")
		a := s.phone("caller", callerAt, phone.Quirks{})
		in := s.calls(a, did)
		s.until(in, phone.Established)
		first := s.next(m[0])
		first.Ring()
		s.over(first)
		busy := s.next(m[1])
		s.must(busy.Reject(486))
		rejected := time.Now()
		again := s.next(m[0])
		if d := time.Since(rejected); d < 4900*time.Millisecond || d > 5500*time.Millisecond {
			s.Errorf("rung again after %v", d)
		}
		s.must(again.Accept())
		s.until(again, phone.Established)
		s.talk(in, again)
		s.hangsUp(in)
		s.over(again)
		if e := s.dequeued("connected"); e.num("offers") != 3 {
			s.Errorf("%v", e)
		}
		s.event("call.completed")
	}, drawn("caller", "switch", "anna", "ben"))
}

// The exit key leads to the overflow; whoever rings is cancelled.
func TestQueueExitKey(t *testing.T) {
	story(t, func(s *stage) {
		m := s.queue(`, "exit_key": "#", "overflow": {"action": "phone_number", "action_id": "`+sales+`"}`, "anna")
		a, b := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		rings := s.next(m[0])
		rings.Ring()
		pass(2 * time.Second)
		s.presses(in, "5")
		pass(time.Second)
		s.presses(in, "#")
		out := s.answers(b)
		if e := s.over(rings); e.By != phone.ByThem {
			s.Errorf("%+v", e)
		}
		s.talk(in, out)
		s.hangsUp(out)
		s.over(in)
		s.dequeued("exit_key")
		s.event("call.completed")
	}, undrawn)
}

// A caller whom nobody answers goes to the overflow, or to the fallback of the rule.
func TestQueueTimeout(t *testing.T) {
	for name, c := range map[string]struct{ queue, flow string }{
		"overflow": {`, "max_wait": 20, "overflow": {"action": "phone_number", "action_id": "` + sales + `"}`, rule("*", "queue_x", "queue")},
		"fallback": {`, "max_wait": 100`, `{"pattern": "*", "destination": "queue_x", "destination_type": "queue",
			"fallback": {"timeout": 20, "action": "phone_number", "action_id": "` + sales + `"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *stage) {
				m := s.queue(c.queue, "anna")
				s.api("PATCH", "/v2/call-flows/cf_queue", `{"routing": [`+c.flow+`]}`, 200)
				a, b := s.parties()
				in := s.calls(a, did)
				s.until(in, phone.Established)
				began := time.Now()
				rings := s.next(m[0])
				rings.Ring()
				s.over(rings)
				out := s.answers(b)
				if d := time.Since(began); d < 20*time.Second || d > 23*time.Second {
					s.Errorf("after %v", d)
				}
				s.talk(in, out)
				s.hangsUp(out)
				s.over(in)
				if e := s.dequeued("timeout"); e.num("wait") < 19.9 || e.num("wait") > 20.2 {
					s.Errorf("%v", e)
				}
				s.event("call.completed")
			}, undrawn)
		})
	}
}

// A full queue, and one with nobody there, turn callers away before the answer.
func TestQueueTurnsAway(t *testing.T) {
	story(t, func(s *stage) {
		m := s.queue(`, "max_size": 1`, "anna")
		a, c := s.phone("caller", callerAt, phone.Quirks{}), s.phone("second", "10.0.1.2:5060", phone.Quirks{})
		in := s.calls(a, did)
		s.until(in, phone.Established)
		rings := s.next(m[0])
		rings.Ring()
		s.refused(s.calls(c, did, phone.Options{From: other}), 486)
		s.dequeued("full")
		s.event("call.failed")
		s.hangsUp(in)
		s.over(rings)
		s.event("call.completed")
		s.customer.forget()
		s.must(m[0].Register(s.soon(), switchAt, "anna", "correct-horse-anna", 0))
		s.refused(s.calls(a, did), 480)
		s.dequeued("empty")
		s.event("call.failed")
	}, undrawn)
}

// A caller who hangs up takes the ringing along: CANCEL goes out at once.
func TestQueueCallerLeavesWhileItRings(t *testing.T) {
	story(t, func(s *stage) {
		m := s.queue("", "anna", "ben")
		a := s.phone("caller", callerAt, phone.Quirks{})
		in := s.calls(a, did)
		s.until(in, phone.Established)
		x, y := s.next(m[0]), s.next(m[1])
		x.Ring()
		y.Ring()
		pass(time.Second)
		s.hangsUp(in)
		left := time.Now()
		for _, c := range []*phone.Call{x, y} {
			if e := s.over(c); e.By != phone.ByThem || e.Code != 487 {
				s.Errorf("%+v", e)
			}
		}
		if d := time.Since(left); d > 200*time.Millisecond {
			s.Errorf("cancelled after %v", d)
		}
		s.dequeued("abandoned")
		s.event("call.completed")
		s.notRung(m[0], time.Minute)
		if f := s.get("/v2/queues/queue_x/statistics"); f.num("abandoned") != 1 || f.num("answered") != 0 || f.num("waiting") != 0 {
			s.Errorf("%v", f)
		}
	}, drawn("caller", "switch", "anna", "ben"))
}

// The member answers in the moment in which the caller hangs up: nobody is left
// with a call, and the member is free for the next caller.
func TestQueueMemberAnswersAsTheCallerLeaves(t *testing.T) {
	for _, first := range []string{"caller", "member"} {
		t.Run(first, func(t *testing.T) {
			story(t, func(s *stage) {
				m := s.queue("", "anna")
				a := s.phone("caller", callerAt, phone.Quirks{})
				in := s.calls(a, did)
				s.until(in, phone.Established)
				out := s.next(m[0])
				out.Ring()
				pass(time.Second)
				gone := make(chan error, 1)
				if first == "caller" {
					go func() { gone <- in.Hangup(s.soon()) }()
					s.must(out.Accept())
				} else {
					s.must(out.Accept())
					go func() { gone <- in.Hangup(s.soon()) }()
				}
				s.must(<-gone)
				s.over(out)
				s.event("call.dequeued")
				s.event("call.completed")
				pass(time.Second)
				in = s.calls(a, did)
				s.until(in, phone.Established)
				out = s.answers(m[0])
				s.talk(in, out)
				s.hangsUp(in)
				s.over(out)
			}, undrawn)
		})
	}
}

// A device that was made, and became a member, while a caller waits, is rung for
// that caller; what the queue has learned besides does no harm.
func TestQueueChangesWhileACallerWaits(t *testing.T) {
	story(t, func(s *stage) {
		s.queue(`, "retry": 1, "join_when_empty": true, "announce": {"position": true, "every": 10}`)
		a := s.phone("caller", callerAt, phone.Quirks{})
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(2 * time.Second)
		p := s.phone("zoe", "10.0.5.9:5060", phone.Quirks{})
		s.device("zoe", p)
		s.api("PATCH", "/v2/queues/queue_x", `{"callback": {"key": "1", "numbers": ["+1415*"]}}`, 200)
		pass(15 * time.Second) // an announcement
		s.api("PATCH", "/v2/queues/queue_x", `{"members": [{"destination": "dev_zoe", "destination_type": "device"}]}`, 200)
		out := s.answers(p)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
	}, undrawn)
}
