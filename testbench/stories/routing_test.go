package stories_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/memnet"
	"b2bua/testbench/phone"
)

const askThenSales = `{"pattern": "*", "destination": "https://` + customerHost + `/route-call", "destination_type": "webhook"},` + toSales

// A webhook that fails, in whatever way, leaves the call to the next rule; the
// caller hears ringing meanwhile.
func TestRoutingWebhookFails(t *testing.T) {
	for name, fails := range map[string]func(s *stage){
		"with 500":            func(s *stage) { s.customer.says(500, `{}`) },
		"with 404":            func(s *stage) { s.customer.says(404, `{}`) },
		"by a redirect":       func(s *stage) { s.customer.says(302, ``) },
		"by saying nothing":   func(s *stage) { s.customer.says(200, ``) },
		"by a page":           func(s *stage) { s.customer.says(200, `<html>`) },
		"by a wrong number":   func(s *stage) { s.customer.says(200, `{"destination": "12", "destination_type": "phone_number"}`) },
		"by an unknown type":  func(s *stage) { s.customer.says(200, `{"destination": "x", "destination_type": "teleport"}`) },
		"by an unknown menu":  func(s *stage) { s.customer.says(200, `{"destination": "ivr_nothing", "destination_type": "ivr_menu"}`) },
		"by a flood":          func(s *stage) { s.customer.says(200, strings.Repeat(" ", 2<<20)+`{}`) },
		"by refusing":         func(s *stage) { _ = s.customer.Close() },
		"by taking too long":  func(s *stage) { s.customer.does(func(_ http.ResponseWriter, a asked) { <-a.ctx.Done() }) },
		"by dripping forever": func(s *stage) { s.customer.does(drip) },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *stage) {
				s.flow(askThenSales)
				a, b := s.parties()
				s.customer.unsubscribe()
				fails(s)
				begun := time.Now()
				in := s.calls(a, did)
				s.until(in, phone.Ringing)
				if took := time.Since(begun); took > 200*time.Millisecond {
					s.Errorf("the caller heard ringing after %v", took)
				}
				out := s.next(b)
				if took := time.Since(begun); took > 5200*time.Millisecond {
					s.Errorf("the next rule was taken after %v", took)
				}
				s.must(out.Accept())
				s.until(in, phone.Established)
				id := s.get("/v2/calls").list("data")[0].(map[string]any)["call_id"].(string)
				s.hangsUp(in)
				s.over(out)
				pass(time.Second)
				if trace := s.trace(id); !strings.Contains(trace, "webhook_failed") && name != "by an unknown menu" {
					s.Errorf("the trace does not say it: %s", trace)
				}
			}, undrawn)
		})
	}
}

// drip answers a byte a second.
func drip(w http.ResponseWriter, a asked) {
	for a.ctx.Err() == nil {
		_, _ = io.WriteString(w, " ")
		_ = http.NewResponseController(w).Flush()
		pass(time.Second)
	}
}

// After failing again and again the webhook is left alone for half a minute.
func TestRoutingWebhookIsLeftAlone(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(askThenSales)
		s.customer.says(500, "")
		a, b := s.parties()
		call := func() (asked int) {
			before := len(s.customer.questions())
			in := s.calls(a, did)
			out := s.next(b)
			s.must(out.Accept())
			s.until(in, phone.Established)
			s.hangsUp(in)
			s.over(out)
			return len(s.customer.questions()) - before
		}
		for range 5 {
			if n := call(); n == 0 || n > 2 {
				s.Errorf("asked %d times", n)
			}
		}
		if n := call(); n != 0 {
			s.Errorf("asked %d times more", n)
		}
		pass(31 * time.Second)
		s.customer.says(200, `{"destination": "`+support+`", "destination_type": "phone_number"}`)
		if n := call(); n != 1 {
			s.Errorf("afterwards asked %d times", n)
		}
	}, undrawn)
}

func TestCallerLeavesWhileTheWebhookThinks(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(askThenSales)
		s.customer.does(func(_ http.ResponseWriter, a asked) { <-a.ctx.Done() })
		a, _ := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Ringing)
		pass(time.Second)
		s.must(in.Cancel(s.soon()))
		if e := s.event("call.failed"); e.str("failure_reason") != "caller_cancelled" {
			s.Errorf("%v", e)
		}
	})
}

// A webhook that leads to loopback is not called.
func TestWebhookToOurselves(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(rule("*", "https://127.0.0.1/route", "webhook") + "," + toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.hangsUp(in)
		s.over(out)
		if trace := s.trace(s.event("call.completed").str("call_id")); !strings.Contains(trace, "not allowed") {
			s.Errorf("the trace does not say why: %s", trace)
		}
	}, undrawn)
}

func TestOtherDestinations(t *testing.T) {
	for name, end := range map[string]struct {
		routing string
		code    int
		reason  string
	}{
		"reject busy":    {`{"pattern": "*", "destination": "busy", "destination_type": "reject"}`, 486, "rejected"},
		"reject":         {`{"pattern": "*", "destination": "not_found", "destination_type": "reject"}`, 404, "rejected"},
		"missing queue":  {`{"pattern": "*", "destination": "queue_nothing", "destination_type": "queue"}`, 480, "routing_failed"},
		"missing box":    {`{"pattern": "*", "destination": "vmbox_nothing", "destination_type": "voicemail"}`, 480, "routing_failed"},
		"missing device": {`{"pattern": "*", "destination": "dev_nothing", "destination_type": "device"}`, 480, "routing_failed"},
		"no rule holds":  {`{"pattern": "1", "destination": "` + sales + `", "destination_type": "phone_number"}`, 480, "routing_failed"},
		"in circles":     {`{"pattern": "*", "destination": "cf_story", "destination_type": "call_flow"}`, 480, "routing_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *stage) {
				s.create("/v2/call-flows", `{"call_flow_id": "cf_story", "name": "story", "phone_number": "`+did+`", "routing": [`+end.routing+`]}`)
				a, _ := s.parties()
				s.refused(s.calls(a, did), end.code)
				if e := s.event("call.failed"); e.str("failure_reason") != end.reason || e.num("sip_code") != float64(end.code) {
					s.Errorf("%v", e)
				}
			}, undrawn)
		})
	}
}

// One flow hands over to another, that one to a SIP address.
func TestFlowToFlowToAddress(t *testing.T) {
	story(t, func(s *stage) {
		s.create("/v2/call-flows", `{"call_flow_id": "cf_second", "name": "second", "routing": [`+rule("*", "sip:desk@"+carrierAt, "sip")+`]}`)
		s.flow(rule("*", "cf_second", "call_flow"))
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

// A running call keeps the flow it began with; the next one has the new flow, at
// once.
func TestFlowChangesWhileACallRuns(t *testing.T) {
	story(t, func(s *stage) {
		s.menu("ivr_main", "Hello.", "")
		path := "/v2/call-flows/" + s.flow(rule("*", "ivr_main", "ivr_menu")+","+rule("1", sales, "phone_number")).str("call_flow_id")
		a, b := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(2 * time.Second)
		s.api(http.MethodPatch, path, `{"routing": [`+rule("*", support, "phone_number")+`]}`, http.StatusOK)
		second := s.calls(a, did)
		if out := s.answers(b); !strings.Contains(out.To(), support) {
			s.Errorf("the new call went to %s", out.To())
		}
		s.until(second, phone.Established)
		s.presses(in, "1")
		if out := s.answers(b); !strings.Contains(out.To(), sales) {
			s.Errorf("the running call went to %s", out.To())
		}
		s.api(http.MethodDelete, path, "", http.StatusNoContent)
		s.refused(s.calls(a, did), 404)
		s.hangsUp(second)
		s.hangsUp(in)
		revisions := map[float64]bool{}
		for range 2 {
			done := s.event("call.completed", func(d doc) bool { return !revisions[d.num("flow_revision")] })
			revisions[done.num("flow_revision")] = true
		}
		if !revisions[1] || !revisions[2] {
			s.Errorf("revisions %v", revisions)
		}
	}, undrawn)
}

// Anonymous callers, and callers from a part of the country.
func TestWhoCalls(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(`{"pattern": "*", "destination": "rejected", "destination_type": "reject", "conditions": {"anonymous": true}},
			{"pattern": "*", "destination": "` + support + `", "destination_type": "phone_number", "conditions": {"allowed_numbers": ["+1415*"]}},` + toSales)
		a, b := s.parties()
		for from, to := range map[string]string{"+14155550001": support, "+12125550001": sales} {
			in := s.calls(a, did, phone.Options{From: from})
			out := s.next(b)
			if !strings.Contains(out.To(), to) || !strings.Contains(out.From(), from) {
				s.Errorf("%s went to %s as %s", from, out.To(), out.From())
			}
			s.must(out.Accept())
			s.until(in, phone.Established)
			s.hangsUp(in)
			s.over(out)
		}
		in := s.calls(a, did, phone.Options{From: "anonymous", Headers: []phone.Header{{Name: "Privacy", Value: "id"}}})
		s.refused(in, 486)
		if e := s.event("call.initiated", func(d doc) bool { return d.str("from") == "anonymous" }); e == nil {
			s.Error("the caller has a name")
		}
	}, undrawn)
}

// Two calls at once keep to themselves.
func TestManyCallsAtOnce(t *testing.T) {
	story(t, func(s *stage) {
		s.basicFlow()
		a, b := s.parties()
		const many = 10
		var in, out [many]*phone.Call
		for i := range in {
			in[i] = s.calls(a, did)
			pass(30 * time.Millisecond)
		}
		pass(2 * time.Second)
		for i := range in {
			s.until(in[i], phone.Established)
			s.presses(in[i], "1")
			out[i] = s.next(b)
			s.must(out[i].Accept())
			s.until(out[i], phone.Established)
		}
		for i := range in {
			in[i].SendTone(300+100*float64(i), toneLevel, 2*time.Second)
		}
		pass(1500 * time.Millisecond)
		for i := range out {
			s.level("party hears its caller", last(out[i], 300*time.Millisecond), 300+100*float64(i), toneLevel)
		}
		pass(time.Second)
		for i := range in {
			if i%2 == 0 {
				s.hangsUp(in[i])
				s.over(out[i])
			} else {
				s.hangsUp(out[i])
				s.over(in[i])
			}
		}
		for s.count("call.completed") < many {
			pass(time.Second)
		}
	}, undrawn)
}

// Jitter and reordering on the way change nothing that can be heard.
func TestJitter(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.phone("caller", callerAt, phone.Quirks{}, phone.PCMU)
		b := s.phone("sales", carrierAt, phone.Quirks{}, phone.PCMA)
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		pass(3 * time.Second)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, undrawn, network(func(n *memnet.Network) {
		n.Delay = func(d memnet.Datagram) time.Duration {
			if signalling(d) {
				return memnet.DefaultLatency
			}
			return 5*time.Millisecond + time.Duration(d.N*7919%31)*time.Millisecond
		}
	}))
}
