//go:build e2e

package e2e

import (
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// Linphone speaks PCMU alone and baresip PCMA alone: the switch stands between them. A third phone speaks only what
// the switch does not; it neither reaches anybody nor is reached.
func TestPhonesWithDifferentCodecs(t *testing.T) {
	x := startExchange(t, "alice", "bob", "carol")
	alice := x.linphone("alice", toneA, peers.LinphoneSetup{Codec: "PCMU"})
	bob := x.baresip("bob", toneB, peers.Account{Codec: "PCMA"})
	carol := x.baresip("carol", toneC, peers.Account{Codec: "GSM"})

	alice.Call(x.at("bob", "udp"), 10*time.Second)
	id := x.initiated("alice", "bob")
	bob.Expect("audio decoder: PCMA", 5*time.Second)
	bob.Await("CALL_ESTABLISHED", 5*time.Second)
	peers.Talk(2500 * time.Millisecond)
	alice.Hangup()
	bob.Await("CALL_CLOSED", 5*time.Second)
	x.endedBy(id, "caller")
	heardInTurn(t, "Alice", alice.Recording, toneB)
	heardInTurn(t, "Bob", bob.Heard(), toneA)
	hears(t, "Bob", bob.Heard(), toneA, time.Second)

	carol.Command("dial", x.at("bob", "udp"))
	carol.Await("CALL_CLOSED", 5*time.Second)
	carol.Expect("488 Not Acceptable Here", time.Second)
	x.failed(x.initiated("carol", "bob"), "codec_mismatch", 488)

	alice.Dial(x.at("carol", "udp"))
	record := x.failed(x.initiated("alice", "carol"), "routing_failed", 488)
	if record.str("attempts", 0, "result") != "codec_mismatch" {
		t.Errorf("the attempt to reach Carol: %v", record)
	}
	alice.Over(5 * time.Second)
}

// A Linphone that speaks Opus alone, a baresip that speaks G.722 alone and one that speaks PCMU alone: each hears the
// other through the switch, at its level.
func TestWidebandPhones(t *testing.T) {
	x := startExchange(t, "alice", "bob", "carol")
	alice := x.linphone("alice", toneA, peers.LinphoneSetup{Codec: "opus"})
	bob := x.baresip("bob", toneB, peers.Account{Codec: "G722/16000"})
	carol := x.baresip("carol", toneC, peers.Account{Codec: "PCMU"})
	for _, far := range []struct {
		name, decoder string
		phone         *peers.Baresip
		tone          int
	}{{"bob", "G722", bob, toneB}, {"carol", "PCMU", carol, toneC}} {
		alice.RecordAfresh()
		alice.Call(x.at(far.name, "udp"), 10*time.Second)
		id := x.initiated("alice", far.name)
		far.phone.Expect("audio decoder: "+far.decoder, 5*time.Second)
		far.phone.Await("CALL_ESTABLISHED", 5*time.Second)
		peers.Talk(2500 * time.Millisecond)
		alice.Hangup()
		far.phone.Await("CALL_CLOSED", 5*time.Second)
		x.endedBy(id, "caller")
		heardInTurn(t, far.name, far.phone.Heard(), toneA)
		hears(t, far.name, far.phone.Heard(), toneA, time.Second)
		heardInTurn(t, "Alice", alice.Recording, far.tone)
		hears(t, "Alice", alice.Recording, far.tone, time.Second)
	}

	bob.Command("dial", x.at("carol", "udp"))
	id := x.initiated("bob", "carol")
	carol.Await("CALL_ESTABLISHED", 5*time.Second)
	peers.Talk(2500 * time.Millisecond)
	bob.Command("hangup", "")
	carol.Await("CALL_CLOSED", 5*time.Second)
	x.endedBy(id, "caller")
	heardInTurn(t, "Carol", carol.Heard(), toneB)
}

// failed wants the record of a call that reached nobody, for a reason, and returns it.
func (x *exchange) failed(id, reason string, code float64) doc {
	x.t.Helper()
	r := x.ended(id)
	if r.str("status") != "failed" || r.str("failure_reason") != reason || r.num("sip_code") != code {
		x.t.Errorf("the record of a call that fails with %s: %v", reason, r)
	}
	return r
}
