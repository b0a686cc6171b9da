//go:build e2e

package e2e

import (
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// Two thousand callers at fifty a second hear a menu, press a key, are bridged to a trunk that echoes, talk and
// hang up. None fails, and afterwards the switch holds what it held before.
func TestTwoThousandCallsThroughAMenu(t *testing.T) {
	const calls, rate = 2000, 50
	trunk := peers.StartSIPp(t, peers.SIPpRun{
		Scenario: "uas_answer", Calls: calls + 1, Echo: true, Keys: map[string]string{"ring_ms": "100"},
	})
	s := StartSwitch(t, trunk.Address())
	s.Create("/v2/ivr-menus", doc{
		"menu_id": "menu_load", "name": "Load", "prompt": "Press one, please.",
		"options": []doc{{"digit": "1", "destination": sales, "destination_type": "phone_number"}},
	})
	s.Flow(rule("ivr_menu", "menu_load"))

	run := peers.SIPpRun{
		Scenario: "uac_menu", Target: s.SIP, Service: did, Calls: 1, Rate: rate,
		Keys: map[string]string{"wait_ms": "200", "digits": "1", "talk_ms": "2000"},
	}
	// One call first: what is started when it is first needed is there before the count begins.
	if r := peers.StartSIPp(t, run).Result(15 * time.Second); r.Successful != 1 {
		t.Fatalf("the first call: %+v", r)
	}
	s.quiet()
	before := s.gauges()

	run.Calls = calls
	began := time.Now()
	r := peers.StartSIPp(t, run).Result(2 * time.Minute)
	took := time.Since(began)
	if r.Exit != 0 || r.Successful != calls || r.Failed != 0 {
		t.Errorf("callers: %+v", r)
	}
	if u := trunk.Result(10 * time.Second); u.Exit != 0 || u.Successful != calls+1 || u.Failed != 0 {
		t.Errorf("trunk: %+v", u)
	}
	if most := calls/rate*time.Second + 15*time.Second; took > most {
		t.Errorf("the calls took %v, more than %v", took, most)
	}
	t.Logf("%d calls in %v, %d retransmissions, answered after %s on average", calls, took.Round(time.Millisecond), r.Retransmission, r.Setup)
	s.settled(t, before)
}

// quiet waits until no call is left.
func (s *Switch) quiet() {
	s.t.Helper()
	s.eventually("end its calls", 10*time.Second, func() bool {
		for _, status := range []string{"ringing", "in_progress"} {
			list, _ := s.Get("/v2/calls?status=" + status)["data"].([]any)
			if len(list) > 0 {
				return false
			}
		}
		return true
	})
}
