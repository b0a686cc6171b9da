//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// proxied is a trunk whose calls go to a proxy that asks for a password.
func proxied(priority int, proxy *peers.Kamailio, transport string) string {
	return fmt.Sprintf(`  - trunk_id: trunk_%[1]d
    name: proxy %[1]d
    hosts: ["127.0.0.0/8"]
    outbound: {uri: "sip:%[2]s", transport: %[3]s, username: b2bua, password: open-sesame, priority: %[1]d}
`, priority, proxy.Address(), transport)
}

// A carrier's proxy challenges the switch and stays in the path of the call, ACK and BYE included; with either
// algorithm.
func TestKamailioAsTrunk(t *testing.T) {
	for name, algorithm := range map[string]string{"MD5": "", "SHA-256": "SHA-256"} {
		t.Run(name, func(t *testing.T) {
			callee := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uas_answer", Calls: 1, Echo: true, Keys: map[string]string{"ring_ms": "100"}})
			proxy := peers.StartKamailio(t, peers.KamailioRun{
				Callee: callee.Address(), Realm: "carrier.example", Password: "open-sesame", Algorithm: algorithm,
			})
			s := StartSwitchWith(t, Setup{Trunks: proxied(1, proxy, "udp")})
			s.Flow(rule("phone_number", sales))
			r := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uac_call", Target: s.SIP, Service: did, From: caller,
				Keys: map[string]string{"talk_ms": "500"}}).Result(20 * time.Second)
			if r.Successful != 1 {
				t.Fatalf("the call: %+v", r)
			}
			if u := callee.Result(10 * time.Second); u.Successful != 1 {
				t.Errorf("the callee: %+v", u)
			}
			proxy.Expect(`authenticated: INVITE \`+sales, time.Second)
			for _, method := range []string{"ACK", "BYE"} {
				proxy.Expect("in dialog: "+method, 5*time.Second)
			}
		})
	}
}

// A call that comes in through a proxy ends through it, too.
func TestKamailioInThePathOfACallerReachesHim(t *testing.T) {
	s := StartSwitch(t, nobody(t))
	s.Create("/v2/ivr-menus", doc{"menu_id": "menu_short", "name": "Short", "prompt": "Goodbye.", "max_attempts": 1, "timeout": 1,
		"options": []doc{{"digit": "1", "destination": "x", "destination_type": "hangup"}}})
	s.Flow(rule("ivr_menu", "menu_short"))
	proxy := peers.StartKamailio(t, peers.KamailioRun{Switch: s.SIP, Number: did})
	r := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uac_stay", Target: proxy.Address(), Service: did, From: caller}).Result(30 * time.Second)
	if r.Successful != 1 {
		t.Fatalf("the call: %+v", r)
	}
	proxy.Expect("in dialog: BYE", time.Second)
}

// The proxy that rings the callee is killed. Over TCP the switch notices at once, and calls by the second trunk.
func TestKamailioKilledWhileItRings(t *testing.T) {
	rings := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uas_no_answer", Calls: 1})
	answers := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uas_answer", Calls: 1, Echo: true, Keys: map[string]string{"ring_ms": "100"}})
	first := peers.StartKamailio(t, peers.KamailioRun{Callee: rings.Address(), Realm: "carrier.example", Password: "open-sesame"})
	second := peers.StartKamailio(t, peers.KamailioRun{Callee: answers.Address(), Realm: "carrier.example", Password: "open-sesame"})
	s := StartSwitchWith(t, Setup{Trunks: proxied(1, first, "tcp") + proxied(2, second, "tcp")})
	hook := Listen(s)
	s.Flow(rule("phone_number", sales))
	call := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uac_call", Target: s.SIP, Service: did, From: caller, Keys: map[string]string{"talk_ms": "500"}})
	hook.Await("call.ringing", 10*time.Second)
	first.Kill()
	if r := call.Result(20 * time.Second); r.Successful != 1 {
		t.Fatalf("the call: %+v", r)
	}
	second.Expect("in dialog: BYE", 5*time.Second)
	if u := answers.Result(10 * time.Second); u.Successful != 1 {
		t.Errorf("the callee: %+v", u)
	}
}
