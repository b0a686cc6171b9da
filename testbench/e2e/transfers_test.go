//go:build e2e

package e2e

import (
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// transferred waits until a call has been transferred, and lets the parties speak.
func (x *exchange) transferred(id, kind, by string) {
	x.t.Helper()
	x.hook.AwaitThat("call.transferred", 10*time.Second, func(d doc) bool {
		return d.str("call_id") == id && d.str("transfer_type") == kind && d.str("by") == by && d.str("result") == "connected"
	})
	peers.Talk(2500 * time.Millisecond)
}

// Bob calls Alice, whose Linphone sends him on to Carol and is free again.
func TestLinphoneTransfers(t *testing.T) {
	x := startExchange(t, "alice", "bob", "carol")
	alice := x.linphone("alice", toneA, peers.LinphoneSetup{})
	alice.AutoAnswer()
	bob, carol := x.baresip("bob", toneB, peers.Account{}), x.baresip("carol", toneC, peers.Account{})
	bob.Call(x.at("alice", "udp"), 10*time.Second)
	id := x.initiated("bob", "alice")
	alice.Expect("Media streams established", 5*time.Second)
	peers.Talk(2500 * time.Millisecond)

	alice.Type("transfer " + x.at("carol", "udp"))
	carol.Await("CALL_ESTABLISHED", 10*time.Second)
	alice.Over(5 * time.Second)
	x.transferred(id, "blind", "callee")
	alice.Type("calls")
	alice.Expect("No active call", 5*time.Second)
	carol.Hangup()
	bob.Await("CALL_CLOSED", 5*time.Second)
	x.endedBy(id, "callee")
	heardInTurn(t, "Alice", alice.Recording, toneB)
	heardInTurn(t, "Bob", bob.Heard(), toneA, toneC)
	heardInTurn(t, "Carol", carol.Heard(), toneB)
}

// Alice calls Bob, whose baresip sends her on to Carol and is free again.
func TestBaresipTransfers(t *testing.T) {
	x := startExchange(t, "alice", "bob", "carol")
	alice := x.linphone("alice", toneA, peers.LinphoneSetup{})
	bob, carol := x.baresip("bob", toneB, peers.Account{}), x.baresip("carol", toneC, peers.Account{})
	alice.Call(x.at("bob", "udp"), 10*time.Second)
	id := x.initiated("alice", "bob")
	bob.Await("CALL_ESTABLISHED", 5*time.Second)
	peers.Talk(2500 * time.Millisecond)

	bob.Command("transfer", x.at("carol", "udp"))
	carol.Await("CALL_ESTABLISHED", 10*time.Second)
	bob.Await("CALL_CLOSED", 5*time.Second)
	x.transferred(id, "blind", "callee")
	alice.Hangup()
	carol.Await("CALL_CLOSED", 5*time.Second)
	x.endedBy(id, "caller")
	heardInTurn(t, "Alice", alice.Recording, toneB, toneC)
	heardInTurn(t, "Bob", bob.Heard(), toneA)
	heardInTurn(t, "Carol", carol.Heard(), toneA)
}

// Alice speaks with Bob, holds him, speaks with Carol, and joins the two.
func TestLinphoneTransfersAfterConsulting(t *testing.T) {
	x := startExchange(t, "alice", "bob", "carol")
	alice := x.linphone("alice", toneA, peers.LinphoneSetup{})
	bob, carol := x.baresip("bob", toneB, peers.Account{}), x.baresip("carol", toneC, peers.Account{})
	alice.Call(x.at("bob", "udp"), 10*time.Second)
	first := x.initiated("alice", "bob")
	peers.Talk(2 * time.Second)
	alice.Type("pause")
	x.heldBy(first, "caller")
	alice.Call(x.at("carol", "udp"), 10*time.Second)
	second := x.initiated("alice", "carol")
	peers.Talk(2 * time.Second)

	alice.Type("transfer 1 --to-call 2")
	x.transferred(first, "attended", "caller")
	alice.Type("calls")
	alice.Expect("No active call", 5*time.Second)
	bob.Hangup()
	carol.Await("CALL_CLOSED", 5*time.Second)
	x.endedBy(first, "caller") // Bob has Alice's place
	joined, left := x.ended(first), x.ended(second)
	if left.str("status") != "completed" || left.str("completion_reason") != "transferred" {
		t.Errorf("the record of the call that Carol came from: %v", left)
	}
	if leg := joined.str("attempts", 1, "sip_call_id"); leg == "" || leg != left.str("attempts", 0, "sip_call_id") {
		t.Errorf("the record of the call that Carol came to: %v", joined)
	}
	heardInTurn(t, "Bob", bob.Heard(), toneA, music, toneC)
	heardInTurn(t, "Carol", carol.Heard(), toneA, toneB)
}
