//go:build e2e

package e2e

import (
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// heldBy waits until a side has put the call on hold, and resumedBy until it is back; before and after that the
// phones speak for a while.
func (x *exchange) heldBy(id, side string) {
	x.t.Helper()
	x.hook.AwaitThat("call.held", 5*time.Second, func(d doc) bool { return d.str("call_id") == id && d.str("by") == side })
	peers.Talk(2 * time.Second)
}

func (x *exchange) resumedBy(id, side string) {
	x.t.Helper()
	x.hook.AwaitThat("call.resumed", 5*time.Second, func(d doc) bool { return d.str("call_id") == id && d.str("by") == side })
	peers.Talk(2 * time.Second)
}

// Linphone puts baresip on hold and takes it back, then baresip does so with Linphone. Whoever is held hears music.
func TestPhonesHoldAndResume(t *testing.T) {
	x := startExchange(t, "alice", "bob")
	bob := x.baresip("bob", toneB, peers.Account{})
	alice := x.linphone("alice", toneA, peers.LinphoneSetup{})
	alice.Call(x.at("bob", "udp"), 10*time.Second)
	id := x.initiated("alice", "bob")
	bob.Await("CALL_ESTABLISHED", 5*time.Second)
	peers.Talk(2 * time.Second)

	alice.Type("pause")
	x.heldBy(id, "caller")
	alice.Type("resume")
	x.resumedBy(id, "caller")
	bob.Command("hold", "")
	x.heldBy(id, "callee")
	bob.Command("resume", "")
	x.resumedBy(id, "callee")
	bob.Hangup()
	alice.Over(5 * time.Second)
	x.endedBy(id, "callee")
	heardInTurn(t, "baresip", bob.Heard(), toneA, music, toneA)
	heardInTurn(t, "Linphone", alice.Recording, toneB, music, toneB)
}
