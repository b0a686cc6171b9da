//go:build e2e

package e2e

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// SIGTERM: whoever talks goes on talking, whoever calls now is sent elsewhere, and when the last call is over the
// process ends well.
func TestDrain(t *testing.T) {
	s := StartSwitch(t, answering(t).Address())
	s.Flow(rule("phone_number", sales))
	phone := peers.StartBaresip(t, peers.Tone(t, 440, level, time.Minute), peers.Account{User: caller, Manual: true})
	phone.Call(s.URI(did), 10*time.Second)

	s.Signal(syscall.SIGTERM)
	s.eventually("stop being ready", 5*time.Second, func() bool {
		code, _, err := s.try(http.MethodGet, "/readyz", nil)
		return err == nil && code == http.StatusServiceUnavailable
	})
	r := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uac_expect_503", Target: s.SIP, Service: did}).Result(10 * time.Second)
	if r.Exit != 0 {
		t.Errorf("a call while draining: %+v", r)
	}
	peers.Talk(2 * time.Second)
	phone.Hangup()
	phone.Await("CALL_CLOSED", 5*time.Second)
	if code := s.Wait(10 * time.Second); code != 0 {
		t.Errorf("the switch ended with exit code %d", code)
	}
	hears(t, "the caller", phone.Heard(), 440, time.Second) // the trunk's echo
}

// What was stored is there after a restart: flows, boxes, and the calls there have been.
func TestRestartKeepsEverything(t *testing.T) {
	s := StartSwitch(t, answering(t).Address())
	hook := Listen(s)
	flow := s.Flow(rule("phone_number", sales)).str("call_flow_id")
	id := call(t, s, hook, caller).str("data", "call_id")
	hook.AwaitThat("call.completed", 5*time.Second, func(d doc) bool { return d.str("call_id") == id })
	s.Restart()
	if got := s.Get("/v2/call-flows/" + flow); got.str("phone_number") != did {
		t.Errorf("flow: %v", got)
	}
	if got := s.Get("/v2/calls/" + id); got.str("status") != "completed" {
		t.Errorf("call: %v", got)
	}
	call(t, s, hook, "+14155550177") // and the webhook still gets its events
}
