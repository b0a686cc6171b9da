package sip_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
	"b2bua/sip/digest"
)

// Whoever writes a phone's address into his datagrams has no nonce that was sent
// there: nothing that he claims to know is looked at, and the owner's guesses are
// not used up by it.
func TestAttack26ForgedCredentialsUseUpNothing(t *testing.T) {
	story(t, func(b *bench) {
		phone := b.peer(phoneAt)
		forger := b.peer(netip.AddrPortFrom(phoneAt.Addr(), 50000))
		phone.register(1)
		challenge := phone.expect("401")
		for i := range 40 {
			said := `Authorization: Digest username="alice", realm="b2bua", nonce="x", uri="sip:10.0.0.1", response="0"`
			if i%2 == 1 { // another URI
				said = strings.Replace(credentials(t, challenge, "REGISTER", "sip:10.0.0.9", "wrong"), `nonce="`, `nonce="x`, 1)
			}
			forger.registerAs("alice", fmt.Sprintf("forged%d", i), 1, said)
		}
		phone.register(2, credentials(t, challenge, "REGISTER", "sip:10.0.0.1", "secret"))
		phone.expect("200")
		forger.repeats()
		if s := b.ep.Stats().Guard; s.Throttled != 0 || s.Banned != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Two accounts of one phone, at the address of a trunk, are still a phone's.
func TestTwoAccountsAtATrunksAddress(t *testing.T) {
	story(t, func(b *bench) {
		phone := b.peer(netip.AddrPortFrom(trunkAt.Addr(), 40002))
		for _, user := range []string{"alice", "bob"} {
			phone.registerAs(user, user, 1)
			ask := phone.expect("401")
			phone.registerAs(user, user, 2, credentialsOf(t, user, ask))
			phone.expect("200")
		}
		d := phone.call()
		d.ackFailure(phone.expect("401"))
		b.nobodyInvited()
	})
}

func credentialsOf(t *testing.T, user string, challenge message) string {
	t.Helper()
	c, err := digest.Choose(challenge.all("WWW-Authenticate"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := digest.Respond(c, "REGISTER", "sip:10.0.0.1", user, "secret", 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	return "Authorization: " + v
}

// A CANCEL that comes while an offer is being accepted has no effect: what the far
// end is told is what its sound is treated by.
func TestCancelWhileAnOfferIsAccepted(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		far.expect("100")
		in, o := b.invitation(), b.owner()
		o.leg = in.Take(o.loop.Post, func(ev sip.Event) {
			if offer, ok := ev.(sip.Offered); ok {
				o.leg.AcceptOffer(offer.ID, []byte(answerSDP))
			}
			o.on(ev)
		})
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		d.answered(far.expect("200"))
		d.ack()
		told[sip.Confirmed](o)
		busy := make(chan struct{})
		o.loop.Post(func() { <-busy })
		d.send("INVITE", offerSDP, "Contact: <sip:far@10.0.0.2:5060>")
		far.expect("100")
		d.cancel()
		if ok := far.expect("200"); !strings.HasSuffix(ok.get("CSeq"), "CANCEL") {
			t.Errorf("%+v", ok)
		}
		close(busy)
		if ok := far.expect("200"); !strings.HasSuffix(ok.get("CSeq"), "INVITE") || ok.body != answerSDP {
			t.Errorf("%+v", ok)
		}
		d.ack()
		told[sip.Offered](o)
		_ = o.loop.Call(context.Background(), func() {})
		hangUp(far, o)
	})
}

// A far end that wants ever longer sessions is given in to twice, and then asked
// again at leisure.
func TestRefreshIsRaisedForEver(t *testing.T) {
	story(t, func(b *bench) {
		far, o := dialled(b, "Supported: timer", "Session-Expires: 600;refresher=uac", "Allow: INVITE, UPDATE")
		up, _ := far.lasted(time.Now(), "UPDATE")
		last := up.at
		for i := range 5 {
			far.reply(up, "422 Longer", "", fmt.Sprintf("Min-SE: %d", 700+i))
			up = far.expect("UPDATE")
			if paused := up.at.Sub(last) > time.Second; paused != (i >= 2) {
				t.Errorf("UPDATE %d came after %v", i, up.at.Sub(last))
			}
			last = up.at
		}
		far.reply(up, "200 OK", "", "Session-Expires: 710;refresher=uac")
		hangUp(far, o)
	})
}
