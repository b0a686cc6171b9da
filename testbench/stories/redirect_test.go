package stories_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/flows"
	"b2bua/testbench/phone"
)

// Trunks of one priority share the calls by weight.
func TestTrunksShareCallsByWeight(t *testing.T) {
	draw := 0
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		c := s.phone("backup", backupAt, phone.Quirks{})
		for _, turn := range []struct {
			draw int
			who  *phone.Phone
		}{{1, c}, {2, b}, {10, b}, {0, c}} { // backup has 1 of 10, carrier the other 9
			draw = turn.draw
			in := s.calls(a, did)
			s.must(s.next(turn.who).Reject(486)) // nobody else is asked then
			s.refused(in, 486)
		}
	}, withBackup, undrawn, func(o *setup) {
		o.pick = func(n int) int {
			if n != 11 {
				t.Errorf("a draw from %d", n)
			}
			return draw
		}
	}, config(func(c *configs.Config) {
		c.Trunks[1].Outbound.Priority = 1
		c.Trunks[0].Outbound.Weight, c.Trunks[1].Outbound.Weight = 9, 1
	}))
}

// A trunk that asks by Retry-After to be left alone is, until then, as long as
// there is another.
func TestRetryAfterIsHonoured(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		c := s.phone("backup", backupAt, phone.Quirks{})
		busy := phone.Header{Name: "Retry-After", Value: "30"}
		in := s.calls(a, did)
		s.must(s.next(b).Refuse(503, "Service Unavailable", busy))
		s.must(s.next(c).Reject(486))
		s.refused(in, 486)
		pass(25 * time.Second)
		in = s.calls(a, did)
		s.must(s.next(c).Reject(503)) // the other one has no room either:
		s.must(s.next(b).Reject(486)) // better to ask than to give up
		s.refused(in, 486)
		pass(5 * time.Second)
		in = s.calls(a, did)
		s.must(s.next(b).Reject(486))
		s.refused(in, 486)
	}, withBackup, drawn("caller", "switch", "sales", "backup"))
}

// moved is a 302 to these targets.
func moved(c *phone.Call, to ...string) error {
	return c.Refuse(302, "Moved Temporarily", phone.Header{Name: "Contact", Value: strings.Join(to, ", ")})
}

// attempts are where a call was sent, and what came of it.
func (s *stage) attempts(call string) string {
	s.Helper()
	var all []string
	for _, one := range s.get("/v2/calls/" + call).list("attempts") {
		a := doc(one.(map[string]any))
		all = append(all, fmt.Sprintf("%s by %s: %s %s", a.str("destination"), a.str("via"), a.str("result"), a.str("detail")))
	}
	return strings.Join(all, "\n")
}

func following(c *configs.Config) { c.Trunks[0].FollowRedirects = true }

// A carrier that may do so sends a call elsewhere: to another number, to another
// trunk.
func TestRedirectIsFollowed(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		c := s.phone("backup", backupAt, phone.Quirks{})
		in := s.calls(a, did)
		s.must(moved(s.next(b), "<tel:"+support+">", "<sip:+14155559999@10.0.66.6>"))
		out := s.next(b)
		if got := out.Requested(); !strings.HasPrefix(got, "sip:"+support+"@10.0.2.1") {
			s.Errorf("dialled %s", got)
		}
		s.must(moved(out, "<sip:+14155559999@10.0.66.6>", "<sip:"+sales+"@10.0.3.1:5060?Replaces=x>"))
		last := s.answers(c)
		if got := last.Requested(); got != "sip:"+sales+"@10.0.3.1:5060" {
			s.Errorf("dialled %s", got)
		}
		s.until(in, phone.Established)
		s.hangsUp(in)
		s.over(last)
		if got := s.attempts(s.event("call.completed").str("call_id")); strings.Count(got, "redirected") != 2 || !strings.Contains(got, support+" by trunk_carrier") {
			s.Errorf("attempts:\n%s", got)
		}
	}, withBackup, config(following), drawn("caller", "switch", "sales", "backup"))
}

// Where a call must not go it does not, whoever says so.
func TestRedirectIsNotFollowed(t *testing.T) {
	for name, c := range map[string]struct {
		contact string
		config  func(*configs.Config)
		says    string
	}{
		"by default":      {"<tel:" + support + ">", nil, "not followed"},
		"to a stranger":   {"<sip:" + support + "@10.0.66.6>", following, "belongs to no trunk"},
		"to somewhere":    {"<sip:10.0.2.1>", following, "cannot be called"},
		"to a web page":   {"<http://10.0.2.1/>", following, "cannot be called"},
		"to where it was": {"<sip:" + sales + "@10.0.2.1:5060>, <tel:" + sales + ">", following, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if c.config == nil {
				c.config = func(*configs.Config) {}
			}
			story(t, func(s *stage) {
				s.flow(toSales)
				a, b := s.parties()
				stranger := s.phone("stranger", strangerAt, phone.Quirks{})
				in := s.calls(a, did)
				s.must(moved(s.next(b), c.contact))
				s.refused(in, 480)
				if got := s.attempts(s.event("call.failed").str("call_id")); !strings.Contains(got, "redirected") || !strings.Contains(got, c.says) {
					s.Errorf("attempts:\n%s", got)
				}
				if stranger.Received("INVITE") != 0 {
					s.Error("the stranger was called")
				}
			}, config(c.config), undrawn)
		})
	}
}

// A carrier that redirects for ever is followed five times.
func TestRedirectsEnd(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		for i := range 6 {
			s.must(moved(s.next(b), fmt.Sprintf("<tel:+1415555100%d>", i)))
		}
		s.refused(in, 480)
		if got := s.attempts(s.event("call.failed").str("call_id")); !strings.Contains(got, "too often") {
			s.Errorf("attempts:\n%s", got)
		}
	}, config(following), undrawn)
}

// A phone sends calls on to a colleague, to a number of ours, and outside when
// its device may dial that.
func TestPhoneSendsCallsOn(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		anna, ben := s.phone("anna", "10.0.5.1:5060", phone.Quirks{}), s.phone("ben", "10.0.5.2:5060", phone.Quirks{})
		s.deviceWith("anna", anna, `"number": "+14155550001", "allow_outbound": ["+1415*"]`)
		s.device("ben", ben)
		s.flow(rule("*", "dev_anna", "device"))
		s.create("/v2/call-flows", `{"name": "other", "phone_number": "+14155552690", "routing": [`+rule("*", "dev_ben", "device")+`]}`)

		for _, to := range []string{"<sip:ben@10.0.0.1>", "<sip:+14155552690@10.0.0.1>"} {
			in := s.calls(a, did)
			s.must(moved(s.next(anna), to))
			out := s.answers(ben)
			s.until(in, phone.Established)
			s.hangsUp(in)
			s.over(out)
		}
		in := s.calls(a, did)
		s.must(moved(s.next(anna), "<sip:"+sales+"@10.0.66.6>"))
		out := s.answers(b)
		if got := shownBy(out).diversion; got != "<sip:+14155550001@10.0.0.1>;reason=unconditional | "+ofDID+";reason=unconditional" {
			s.Errorf("diversion %s", got)
		}
		s.until(in, phone.Established)
		s.hangsUp(in)
		s.over(out)

		for to, says := range map[string]string{"+882161234567": "may not dial", "anna": "a loop", "nobody": "may not dial"} {
			s.customer.forget()
			in := s.calls(a, did)
			s.must(moved(s.next(anna), "<sip:"+to+"@10.0.0.1>"))
			s.refused(in, 480)
			if got := s.attempts(s.event("call.failed").str("call_id")); !strings.Contains(got, says) {
				s.Errorf("%s: attempts:\n%s", to, got)
			}
		}
	}, config(func(c *configs.Config) {
		c.Trunks[0].CallerID = &flows.CallerID{Diversion: true}
	}), undrawn)
}

// Two phones that send their calls to each other's number do so five times.
func TestPhonesThatSendCallsToEachOther(t *testing.T) {
	story(t, func(s *stage) {
		a := s.phone("caller", callerAt, phone.Quirks{})
		team := s.colleagues("anna", "ben")
		s.flow(toAnna)
		s.create("/v2/call-flows", `{"name": "other", "phone_number": "`+support+`", "routing": [`+rule("*", "dev_ben", "device")+`]}`)
		in := s.calls(a, did)
		for i := range 6 {
			s.must(moved(s.next(team[i%2]), "<sip:"+[]string{support, did}[i%2]+"@10.0.0.1>"))
		}
		s.refused(in, 480)
		if got := s.attempts(s.event("call.failed").str("call_id")); strings.Count(got, ": redirected") != 6 || !strings.Contains(got, "too often") {
			s.Errorf("attempts:\n%s", got)
		}
	}, undrawn)
}

// A transfer to a phone that sends its calls to a number of ours has reached
// somebody when that number's flow has connected the caller.
func TestTransferThatIsSentOn(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		team := s.colleagues("anna", "ben")
		s.flow(toAnna)
		s.create("/v2/call-flows", `{"name": "other", "phone_number": "`+support+`", "routing": [`+toSales+`]}`)
		in := s.calls(a, did)
		first := s.answers(team[0])
		s.until(in, phone.Established)
		s.refers(first, at("ben"))
		s.must(moved(s.next(team[1]), "<sip:"+support+"@10.0.0.1>"))
		out := s.answers(b)
		s.notified(first, "SIP/2.0 200 OK")
		s.over(first)
		s.talk(in, out)
		s.hangsUp(out)
		s.over(in)
		s.transferred("blind", "callee", "connected")
		s.event("call.completed")
	}, drawn("caller", "switch", "anna", "ben", "sales"))
}

// The API is told what came of the flow that a phone sends its calls to, not
// that it began.
func TestTransferThatIsSentOnToNobody(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		ben := s.colleagues("ben")[0]
		s.create("/v2/call-flows", `{"name": "other", "phone_number": "`+support+`", "routing": [`+toSales+`]}`)
		in, id := s.taken(a)
		wait := s.later(0, func() {
			s.must(moved(s.next(ben), "<sip:"+support+"@10.0.0.1>"))
			s.must(s.next(b).Reject(486))
		})
		got := s.command(id, "transfer", `{"destination": "dev_ben", "destination_type": "device"}`, http.StatusOK)
		wait()
		if got.str("result") != "busy" {
			s.Errorf("%v", got)
		}
		s.over(in)
		s.transferred("blind", "api", "busy")
		s.event("call.failed")
	}, undrawn)
}

// A conversation waits for what comes of the flow that a phone sends its calls to:
// when nobody takes the caller there, the two talk on.
func TestTransferThatIsSentOnToNobodyReturnsTheCaller(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		team := s.colleagues("anna", "ben")
		s.flow(toAnna)
		s.create("/v2/call-flows", `{"name": "other", "phone_number": "`+support+`", "routing": [`+toSales+`]}`)
		in := s.calls(a, did)
		first := s.answers(team[0])
		s.until(in, phone.Established)
		id := s.event("call.answered").str("call_id")
		for _, c := range []struct {
			code   int
			result string
		}{{486, "busy"}, {404, "not_found"}} {
			wait := s.later(0, func() {
				s.must(moved(s.next(team[1]), "<sip:"+support+"@10.0.0.1>"))
				out := s.next(b)
				out.Ring()
				pass(moment)
				s.must(out.Reject(c.code))
			})
			got := s.command(id, "transfer", `{"destination": "dev_ben", "destination_type": "device"}`, http.StatusOK)
			wait()
			if got.str("result") != c.result {
				s.Errorf("%v", got)
			}
			s.transferred("blind", "api", c.result)
			s.talk(in, first)
		}
		// And the flow may have the caller for good.
		wait := s.later(0, func() { s.must(moved(s.next(team[1]), "<sip:"+support+"@10.0.0.1>")) })
		answered := s.later(0, func() { s.answers(b) })
		if got := s.command(id, "transfer", `{"destination": "dev_ben", "destination_type": "device"}`, http.StatusOK); got.str("result") != "connected" {
			s.Errorf("%v", got)
		}
		wait()
		answered()
		s.over(first)
		s.hangsUp(in)
		s.completed("hangup")
	}, undrawn)
}
