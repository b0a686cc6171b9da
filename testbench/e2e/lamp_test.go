//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// A message in the box that two phones share lights the lamp of both: baresip has subscribed to it, Linphone has not
// and is told all the same. Whoever listens to the message turns it off.
func TestMessageLightsTheLampsOfPhones(t *testing.T) {
	x := startExchange(t, "alice", "bob", "carol")
	x.Create("/v2/voicemail-boxes", doc{"voicemail_box_id": "vmbox_team", "name": "Team", "greeting": "Hello."})
	for _, user := range []string{"alice", "carol"} {
		x.Do("PATCH", "/v2/devices/dev_"+user, doc{"voicemail_box_id": "vmbox_team"}, 200)
	}
	x.Flow(rule("voicemail", "vmbox_team"))
	alice := x.baresip("alice", toneA, peers.Account{Lamp: true})
	carol := x.linphone("carol", toneC, peers.LinphoneSetup{Trace: true})
	lamp := func(light, counts string) {
		t.Helper()
		for {
			told := alice.Await("MWI_NOTIFY", 10*time.Second).Param
			if strings.Contains(told, "Messages-Waiting: "+light) && strings.Contains(told, "Voice-Message: "+counts) {
				break
			}
		}
		x.eventually("tell Linphone of "+counts+" messages", 5*time.Second, func() bool {
			return strings.Contains(carol.Wire(), "Voice-Message: "+counts)
		})
	}
	lamp("no", "0/0")

	bob := x.baresip("bob", toneB, peers.Account{Manual: true})
	bob.Call(x.URI(did), 10*time.Second)
	peers.Talk(7 * time.Second)
	bob.Hangup()
	message := x.hook.Await("voicemail.received", 10*time.Second).str("data", "message_id")
	lamp("yes", "1/0")
	x.Do("PATCH", "/v2/voicemail-boxes/vmbox_team/messages/"+message, doc{"read": true}, 200)
	lamp("no", "0/1")
}
