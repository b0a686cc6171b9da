package stories_test

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/testbench/phone"
)

func TestTooManyCalls(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		second := s.calls(a, did)
		s.refused(second, 503)
		if after, err := strconv.Atoi(second.Header("Retry-After")); err != nil || after <= 0 {
			s.Errorf("Retry-After %q", second.Header("Retry-After"))
		}
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
		s.customer.forget()
		in = s.calls(a, did)
		out = s.answers(b)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, config(func(c *configs.Config) { c.Calls.MaxConcurrent = 1 }))
}

func TestLongestCall(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		begun := time.Now()
		for _, c := range []*phone.Call{in, out} {
			if e := s.over(c); e.By != phone.ByThem || !strings.Contains(e.Header, "Time limit") {
				s.Errorf("%+v", e)
			}
		}
		if took := time.Since(begun); took < 119*time.Second || took > 121*time.Second {
			s.Errorf("it lasted %v", took)
		}
		if e := s.event("call.completed"); e.str("completion_reason") != "time_limit" || e.str("hangup_source") != "system" {
			s.Errorf("%v", e)
		}
	}, config(func(c *configs.Config) { c.Calls.MaxDuration = configs.Duration(2 * time.Minute) }))
}

// When there are no ports left the call that needs one gets 503, and the next
// one goes through when a call has ended.
func TestNoPortLeft(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.refused(s.calls(a, did), 503)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		pass(6 * time.Second) // ports rest for 5 s, until nothing is under way to the call before
		in = s.calls(a, did)
		out = s.answers(b)
		s.hangsUp(in)
		s.over(out)
		for s.count("call.completed") < 2 {
			pass(100 * time.Millisecond)
		}
	}, config(func(c *configs.Config) { c.Media.Ports = "20000-20003" }))
}

// A second signal ends a drain at once.
func TestDrainCutShort(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.stop()
		pass(2 * time.Second)
		begun := time.Now()
		s.sw.Cut()
		s.over(in)
		s.over(out)
		s.must(<-s.ended)
		s.ended = nil
		if took := time.Since(begun); took > time.Second {
			s.Errorf("it took %v", took)
		}
		s.customer.checkOrder()
	}, undrawn)
}

// A customer's server that is down for a while gets every event later, in order,
// each with the id it had the first time.
func TestCustomerIsAway(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		s.customer.goAway(true)
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		pass(3 * time.Minute)
		if told := s.told(); len(told) != 0 {
			s.Errorf("told of %v", told)
		}
		s.customer.goAway(false)
		s.event("call.completed")
		first := s.customer.all()[0]
		turned := s.customer.turnedAway()
		if n := len(turned); n < 2 || n > 4 {
			s.Errorf("turned away %d times", n)
		}
		if slices.ContainsFunc(turned, func(id string) bool { return id != first.str("id") }) {
			s.Errorf("of the same call others were sent before %v: %v", first, turned)
		}
	}, undrawn)
}

// goAway makes the server turn events away.
func (c *customer) goAway(away bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = away
}

// turnedAway are the ids of the events turned away.
func (c *customer) turnedAway() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.turned)
}

// Commands that do not fit leave the call as it was.
func TestCommandsThatDoNotFit(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.next(b)
		out.Ring()
		s.until(in, phone.Ringing)
		id := s.event("call.ringing").str("call_id")
		for verb, body := range map[string]string{"play-audio": `{"message": "x"}`, "gather-dtmf": `{}`, "record": ``, "record/pause": ``, "play-audio/stop": ``} {
			if e := s.command(id, verb, body, http.StatusConflict); e.str("error") != "invalid_call_state" {
				s.Errorf("%s: %v", verb, e)
			}
		}
		if live := s.trace(id); !strings.Contains(live, "on to") {
			s.Errorf("the trace of the running call: %s", live)
		}
		s.must(out.Accept())
		s.until(in, phone.Established)
		for verb, body := range map[string]string{"answer": ``, "decline": ``, "gather-dtmf": `{}`, "record/stop": ``} {
			if e := s.command(id, verb, body, http.StatusConflict); e.str("error") != "invalid_call_state" {
				s.Errorf("%s: %v", verb, e)
			}
		}
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
		for _, verb := range []string{"answer", "decline", "hangup", "record", "record/stop", "gather-dtmf"} {
			if e := s.command(id, verb, `{}`, http.StatusConflict); e.str("error") != "call_ended" {
				s.Errorf("%s: %v", verb, e)
			}
		}
	}, undrawn)
}

// A transfer that finds nobody takes its fallback; one that is asked for with
// async is told of by an event.
func TestTransferWithFallback(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		in, id := s.taken(a)
		got := s.command(id, "transfer?async=true", `{"destination": "`+sales+`", "fallback":
			{"timeout": 5, "action": "voicemail", "action_id": "voicemail_default"}}`, http.StatusAccepted)
		if got.str("result") != "pending" {
			s.Errorf("%v", got)
		}
		out := s.next(b)
		out.Ring()
		s.over(out)
		if e := s.event("call.transferred"); e.str("result") != "no_answer" {
			s.Errorf("%v", e)
		}
		s.leavesMessage(in, "voicemail_default")
	}, undrawn)
}

// A transfer while another one rings takes its place.
func TestTransferInsteadOfATransfer(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		in, id := s.taken(a)
		var first doc
		wait := s.later(0, func() { first = s.command(id, "transfer", `{"destination": "`+sales+`"}`, http.StatusOK) })
		out := s.next(b)
		out.Ring()
		pass(2 * time.Second)
		var other *phone.Call
		waitOther := s.later(0, func() { other = s.answers(b) })
		second := s.command(id, "transfer", `{"destination": "`+support+`"}`, http.StatusOK)
		wait()
		waitOther()
		s.over(out)
		if first.str("result") != "gone" || second.str("result") != "connected" {
			s.Errorf("first %v, second %v", first, second)
		}
		s.talk(in, other)
		s.hangsUp(in)
		s.over(other)
		s.event("call.completed")
	}, undrawn)
}

// A device that has gone home is not rung.
func TestDeviceThatLeft(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(rule("*", "dev_anna", "device") + "," + toSales)
		a, b := s.parties()
		desk := s.phone("desk", "10.0.5.1:5060", phone.Quirks{})
		s.device("anna", desk)
		in := s.calls(a, did)
		s.must(s.next(desk).Reject(486))
		out := s.answers(b)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
		s.customer.forget()
		s.must(desk.Register(s.soon(), switchAt, "anna", "correct-horse-anna", 0))
		in = s.calls(a, did)
		out = s.answers(b)
		s.hangsUp(in)
		s.over(out)
		done := s.event("call.completed")
		if got := s.get("/v2/calls/" + done.str("call_id")).list("attempts"); len(got) != 1 {
			s.Errorf("attempts %v", got)
		}
	}, undrawn)
}

// Nobody registers with a wrong password, and the answer does not tell whether
// there is such a device.
func TestWrongPassword(t *testing.T) {
	story(t, func(s *stage) {
		s.device("anna")
		for _, user := range []string{"anna", "nobody"} {
			p := s.phone(user, "10.0.5."+strconv.Itoa(len(user))+":5060", phone.Quirks{})
			var status *phone.StatusError
			if err := p.Register(s.soon(), switchAt, user, "wrong", time.Hour); !errors.As(err, &status) || status.Code != 401 {
				s.Errorf("%s: %v", user, err)
			}
		}
		if n := s.metrics()["b2bua_registrations"]; n != 0 {
			s.Errorf("%v registrations", n)
		}
	}, undrawn)
}
