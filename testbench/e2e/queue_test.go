//go:build e2e

package e2e

import (
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// Linphone is a member of a queue in which baresip waits: it hears the whisper, then the caller; the caller hears music,
// then the member.
func TestLinphoneIsAMemberOfAQueue(t *testing.T) {
	x := startExchange(t, "alice")
	x.Create("/v2/queues", doc{
		"queue_id": "queue_x", "name": "Sales", "whisper": "A call for sales.", "wrap_up": 2,
		"members": []doc{{"destination": "alice", "destination_type": "device"}},
	})
	x.Flow(rule("queue", "queue_x"))
	linphone := x.linphone("alice", toneA, peers.LinphoneSetup{})
	baresip := peers.StartBaresip(t, peers.Tone(t, toneB, level, time.Minute), peers.Account{User: caller, Manual: true})
	baresip.Call(x.URI(did), 10*time.Second)
	x.hook.Await("call.queued", 5*time.Second)
	peers.Talk(2 * time.Second)
	linphone.Answer(10 * time.Second)
	x.hook.Await("call.bridged", 15*time.Second)
	peers.Talk(4 * time.Second)
	linphone.Hangup()
	baresip.Await("CALL_CLOSED", 5*time.Second)
	if e := x.hook.Await("call.dequeued", 5*time.Second); e.str("data", "result") != "connected" || e.str("data", "member") != "alice" {
		t.Errorf("dequeued: %v", e)
	}
	heardInTurn(t, "the caller", baresip.Heard(), music, toneA)
	hears(t, "linphone", linphone.Recording, toneB, peers.Length(t, linphone.Recording)-3*time.Second)
	if f := x.Get("/v2/queues/queue_x/statistics"); f.num("answered") != 1 || f.num("waiting") != 0 {
		t.Errorf("statistics: %v", f)
	}
}
