package sip_test

import (
	"strings"
	"testing"
)

// A trunk without an address of its own proves itself by digest, as phones do,
// and is that trunk then: with the numbers it says, for it is a trunk.
func TestTrunkProvesItselfByDigest(t *testing.T) {
	story(t, func(b *bench) {
		pbx := b.peer(strangerAt)
		d := pbx.call()
		challenge := pbx.expect("401")
		d.ackFailure(challenge)
		d.remote, d.cseq = "<sip:+15551000@10.0.0.1>", 2
		pbx.write(d.invite(offerSDP, proved(t, challenge, "INVITE", d.target, "pbx", "exchange", 1)))
		pbx.expect("100")
		in := b.invitation()
		if in.Trunk == nil || in.Trunk.ID != "trunk_pbx" || in.Device != nil || in.From.User != "+15559999" {
			t.Errorf("%+v", in)
		}
		in.Reject(480, "")
		d.ackFailure(pbx.expect("480"))

		other := b.peer(phoneAt)
		d = other.call()
		challenge = other.expect("401")
		d.ackFailure(challenge)
		d.remote, d.cseq = "<sip:+15551000@10.0.0.1>", 2
		other.write(d.invite(offerSDP, proved(t, challenge, "INVITE", d.target, "pbx", "secret", 1)))
		if m := other.expect("401"); strings.Contains(m.get("WWW-Authenticate"), "stale") {
			t.Errorf("%+v", m)
		}
	})
}

// It calls in; what it would register nobody would call.
func TestTrunkRegistersNothing(t *testing.T) {
	story(t, func(b *bench) {
		pbx := b.peer(strangerAt)
		pbx.registerAs("pbx", "r1", 1)
		pbx.registerAs("pbx", "r1", 2, proved(t, pbx.expect("401"), "REGISTER", "sip:10.0.0.1", "pbx", "exchange", 1))
		pbx.expect("403")
		if n := b.ep.Stats().Registrations; n != 0 {
			t.Errorf("%d registrations", n)
		}
	})
}
