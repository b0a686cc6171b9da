//go:build e2e

package e2e

import (
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// call places one SIPp call that must be answered, and returns its call.initiated.
func call(t *testing.T, s *Switch, hook *Receiver, from string) doc {
	t.Helper()
	hook.Forget()
	r := peers.StartSIPp(t, peers.SIPpRun{
		Scenario: "uac_call", Target: s.SIP, Service: did, From: from, Keys: map[string]string{"talk_ms": "300"},
	}).Result(20 * time.Second)
	if r.Exit != 0 || r.Successful != 1 {
		t.Fatalf("call from %s: %+v", from, r)
	}
	return hook.AwaitThat("call.initiated", 5*time.Second, func(d doc) bool { return d.str("from") == from })
}

// routedTo waits for the decision that the call's flow came to.
func routedTo(hook *Receiver, kind, destination string) {
	hook.t.Helper()
	hook.AwaitThat("call.routed", 5*time.Second, func(d doc) bool {
		return d.str("destination_type") == kind && d.str("destination") == destination
	})
}

func answering(t *testing.T) *peers.SIPp {
	t.Helper()
	return peers.StartSIPp(t, peers.SIPpRun{Scenario: "uas_answer", Calls: -1, Echo: true, Keys: map[string]string{"ring_ms": "50"}})
}

// The same rules at the same moment: in a zone where it is within the hours, and in hours that are over.
func TestBusinessHours(t *testing.T) {
	s := StartSwitch(t, answering(t).Address())
	hook := Listen(s)
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().In(zone)
	clock := func(h time.Duration) string { return now.Add(h * time.Hour).Format("15:04") }
	hours := func(start, end string) doc {
		return doc{"start": start, "end": end, "timezone": "America/New_York"}
	}
	otherDays := []string{}
	for i, day := range []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"} {
		// Yesterday stays out too: an overnight range may have begun then.
		if gap := (int(now.Weekday()) - i + 7) % 7; gap > 1 && gap < 6 {
			otherDays = append(otherDays, day)
		}
	}
	for name, c := range map[string]struct {
		hours doc
		open  bool
	}{
		"open":          {hours(clock(-2), clock(2)), true},
		"already over":  {hours(clock(-4), clock(-2)), false},
		"not yet":       {hours(clock(2), clock(4)), false},
		"another day":   {with(hours(clock(-2), clock(2)), "days", otherDays), false},
		"all day, open": {hours("00:00", "24:00"), true},
	} {
		t.Run(name, func(t *testing.T) {
			flow := s.Flow(
				with(rule("phone_number", sales), "conditions", doc{"time_range": c.hours}),
				rule("voicemail", "voicemail_default"))
			defer s.Do("DELETE", "/v2/call-flows/"+flow.str("call_flow_id"), nil, 204)
			call(t, s, hook, caller)
			if c.open {
				routedTo(hook, "phone_number", sales)
			} else {
				routedTo(hook, "voicemail", "voicemail_default")
			}
		})
	}
}

// A blocked caller gets the voicemail, everybody else gets through.
func TestScreening(t *testing.T) {
	s := StartSwitch(t, answering(t).Address())
	hook := Listen(s)
	s.Flow(
		with(rule("voicemail", "voicemail_default"), "conditions", doc{"blocked_numbers": []string{"+14155552699", "+14155552698"}}),
		rule("phone_number", sales))
	call(t, s, hook, "+14155552699")
	routedTo(hook, "voicemail", "voicemail_default")
	call(t, s, hook, caller)
	routedTo(hook, "phone_number", sales)
}

// The customer's web server is asked with exactly the documented body and sends the call where it says; its tags
// stay with the call. When it fails, the flow goes on.
func TestWebhookRouting(t *testing.T) {
	s := StartSwitch(t, answering(t).Address())
	hook := Listen(s)
	s.Flow(rule("webhook", hook.URL+"/route"), rule("voicemail", "voicemail_default"))

	hook.Routes(200, `{"destination": "`+sales+`", "destination_type": "phone_number", "tags": {"routed_by": "webhook", "queue": "support"}}`)
	id := call(t, s, hook, caller).str("data", "call_id")
	routedTo(hook, "phone_number", sales)
	asked := hook.Requests()
	if len(asked) != 1 {
		t.Fatalf("asked %d times", len(asked))
	}
	for field, want := range map[string]string{"call_id": id, "from": caller, "to": did, "call_type": "inbound"} {
		if asked[0].str(field) != want {
			t.Errorf("asked with %s %q, want %q", field, asked[0].str(field), want)
		}
	}
	if _, err := time.Parse(time.RFC3339, asked[0].str("timestamp")); err != nil {
		t.Errorf("asked with timestamp %q", asked[0].str("timestamp"))
	}
	record := s.ended(id)
	if record.str("tags", "routed_by") != "webhook" || record.str("tags", "queue") != "support" {
		t.Errorf("tags of the call: %v", record["tags"])
	}
	done := hook.AwaitThat("call.completed", 5*time.Second, func(d doc) bool { return d.str("call_id") == id })
	if done.str("data", "tags", "routed_by") != "webhook" {
		t.Errorf("tags in the event: %v", done)
	}

	for name, answer := range map[string]struct {
		code int
		text string
	}{
		"refuses":        {500, `oops`},
		"says nothing":   {200, ``},
		"is not JSON":    {200, `<html>`},
		"sends nowhere":  {200, `{"destination": "12", "destination_type": "phone_number"}`},
		"unknown type":   {200, `{"destination": "x", "destination_type": "teleport"}`},
		"redirects away": {302, ``},
	} {
		t.Run(name, func(t *testing.T) {
			hook.Routes(answer.code, answer.text)
			call(t, s, hook, caller)
			routedTo(hook, "voicemail", "voicemail_default")
		})
	}
}

// The page's three events come with its fields, first and in order, numbered, and the call's end is told once.
func TestEventsOfACall(t *testing.T) {
	s := StartSwitch(t, answering(t).Address())
	hook := Listen(s)
	flow := s.Flow(rule("phone_number", sales))
	id := call(t, s, hook, caller).str("data", "call_id")
	hook.Await("call.completed", 10*time.Second)

	events := hook.Of(id)
	var order []string
	ends := 0
	for i, e := range events {
		order = append(order, e.str("event"))
		if e.num("data", "sequence") != float64(i+1) {
			t.Errorf("event %d has sequence %v", i+1, e.at("data", "sequence"))
		}
		if e.str("id")[:4] != "evt_" || e.str("version") != "v1" || e.str("data", "call_flow_id") != flow.str("call_flow_id") {
			t.Errorf("event: %v", e)
		}
		if e.str("event") == "call.completed" || e.str("event") == "call.failed" {
			ends++
		}
	}
	if ends != 1 {
		t.Errorf("the end was told %d times: %v", ends, order)
	}
	if events[0].str("event") != "call.initiated" {
		t.Errorf("told in this order: %v", order)
	}
	for name, fields := range map[string]map[string]string{
		"call.initiated": {"call_type": "inbound", "from": caller, "to": did, "initiated_at": ""},
		"call.ringing":   {"ringing_at": ""},
		"call.answered":  {"answered_by": sales, "answered_at": ""},
	} {
		e := hook.AwaitThat(name, time.Second, func(d doc) bool { return d.str("call_id") == id })
		for field, want := range fields {
			got := e.str("data", field)
			if want == "" {
				if _, err := time.Parse(time.RFC3339, got); err != nil {
					t.Errorf("%s: %s is %q", name, field, got)
				}
			} else if got != want {
				t.Errorf("%s: %s is %q, want %q", name, field, got, want)
			}
		}
	}
}
