//go:build e2e

package e2e

import (
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// Linphone, which makes no call in the clear, calls baresip, each by its own kind of SRTP. They hear each other, the
// recording holds both, and the record tells which suites it were.
func TestPhonesEncryptTheirSound(t *testing.T) {
	for name, c := range map[string]struct{ policy, suite, baresip, second string }{
		"both require it":        {"required", "AES_CM_128_HMAC_SHA1_80", "srtp-mand", "AEAD_AES_128_GCM"},
		"each does where it can": {"optional", "AES_CM_128_HMAC_SHA1_32", "srtp", "AEAD_AES_128_GCM"},
		"one is in the clear":    {"optional", "AES_CM_128_HMAC_SHA1_80", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			x := startExchange(t, "alice", "bob")
			for _, id := range []string{"dev_alice", "dev_bob"} {
				x.Do("PATCH", "/v2/devices/"+id, `{"srtp": "`+c.policy+`"}`, 200)
			}
			flow := x.Flow(rule("device", "dev_bob"))
			x.Do("PATCH", "/v2/call-flows/"+flow.str("call_flow_id"), `{"recording": {"enabled": true, "format": "mp3", "participant": "all"}}`, 200)
			bob := x.baresip("bob", toneB, peers.Account{Encryption: c.baresip})
			alice := x.linphone("alice", toneA, peers.LinphoneSetup{Transport: "tls", Suite: c.suite})

			alice.Call(x.URI(did), 15*time.Second)
			id := x.hook.Await("call.initiated", 5*time.Second).str("data", "call_id")
			bob.Await("CALL_ESTABLISHED", 10*time.Second)
			peers.Talk(5 * time.Second)
			alice.Hangup()
			bob.Await("CALL_CLOSED", 5*time.Second)

			hears(t, "bob", bob.Heard(), toneA, 2*time.Second)
			hears(t, "alice", alice.Recording, toneB, peers.Length(t, alice.Recording)-3*time.Second)
			rec := x.hook.Await("recording.completed", 10*time.Second).str("data", "recording_id")
			recordingHolds(t, x.Switch, rec, "mp3", []int{toneA, toneB})
			legs, _ := x.ended(id)["quality"].([]any)
			if len(legs) != 2 {
				t.Fatalf("quality of %d legs", len(legs))
			}
			for _, leg := range legs {
				leg := doc(leg.(map[string]any))
				want := c.second // what it likes best of what it is offered
				if leg.str("leg") == "caller" {
					want = c.suite
				}
				if got := leg.str("encryption"); got != want || leg.num("mos") < 4 {
					t.Errorf("%v, want %q", leg, want)
				}
			}
		})
	}
}
