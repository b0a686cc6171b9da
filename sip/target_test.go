package sip_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
)

// A target refresh that is refused refreshes nothing (RFC 6141 §4).
func TestRefusedOfferMovesNothing(t *testing.T) {
	for _, method := range []string{"INVITE", "UPDATE"} {
		story(t, func(b *bench) {
			far, d, o := talking(b)
			d.send(method, offerSDP, "Contact: <sip:moved@10.0.0.2:5060>")
			if method == "INVITE" {
				far.expect("100")
			}
			told[sip.Offered](o)
			o.do(func(l *sip.Leg) { l.RefuseOffer(o.offer, 488) })
			if refusal := far.expect("488"); method == "INVITE" {
				d.ackFailure(refusal)
			}
			o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
			bye := far.expect("BYE")
			if strings.Contains(bye.start, "moved") {
				t.Errorf("%s: %s", method, bye.start)
			}
			far.reply(bye, "200 OK", "")
		})
	}
}

// A phone that has changed its network says so by a request that refreshes the
// target, from where it is now: there it is reached from then on.
func TestPhoneChangesItsNetwork(t *testing.T) {
	for _, sdp := range []string{"", offerSDP} {
		story(t, func(b *bench) {
			phone := registered(b)
			o := b.dial(sip.Dial{Target: sip.Target{Binding: &b.ep.Bindings("alice")[0]}, To: "alice"})
			inv := phone.expect("INVITE")
			phone.reply(inv, "200 OK", answerSDP, "Contact: <sip:alice@192.168.1.7:5060;ob>")
			ack := phone.expect("ACK")
			told[sip.Answered](o)
			moved := b.peer(netip.MustParseAddrPort("10.0.7.7:40007"))
			d := &dialogue{p: moved, callID: inv.get("Call-ID"), local: ack.get("To"), remote: ack.get("From"),
				target: strings.Trim(inv.get("Contact"), "<>"), cseq: 1}
			d.send("UPDATE", sdp, "Contact: <sip:alice@172.16.0.9:5060;ob>")
			if sdp != "" {
				told[sip.Offered](o)
				o.do(func(l *sip.Leg) { l.AcceptOffer(o.offer, []byte(answerSDP)) })
			}
			moved.expect("200")
			o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
			moved.reply(moved.expect("BYE sip:alice@172.16.0.9:5060;ob SIP/2.0"), "200 OK", "")
		})
	}
}

// A challenge that comes when the call is over is not answered by another offer.
func TestReinviteChallengedAfterTheEnd(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{Target: sip.Target{Username: "user", Password: "secret"}})
		far.reply(far.expect("INVITE"), "200 OK", answerSDP)
		far.expect("ACK")
		told[sip.Answered](o)
		o.do(func(l *sip.Leg) { l.Reinvite([]byte(offerSDP)) })
		again := far.expect("INVITE")
		hangUp(far, o)
		far.reply(again, "401 Unauthorized", "", `WWW-Authenticate: Digest realm="far", nonce="n", qop="auth", algorithm=MD5`)
		far.expect("ACK")
		if n := far.repeats(); n != 0 {
			t.Errorf("%d more messages", n)
		}
	})
}

// The subscription that a REFER makes ends when it was granted to, with a last word
// (RFC 6665 §4.2.2); a shorter time may be asked for.
func TestReferralEndsWhenItWasGrantedTo(t *testing.T) {
	story(t, func(b *bench) {
		far, d, o := talking(b)
		d.send("REFER", "", "Refer-To: <sip:bob@10.0.0.1>", "Contact: <sip:far@10.0.0.2:5060>")
		told[sip.Referred](o)
		o.do(func(l *sip.Leg) { l.AcceptRefer() })
		far.expect("202")
		far.reply(far.expect("NOTIFY"), "200 OK", "")
		d.send("SUBSCRIBE", "", "Event: refer", "Expires: 60", "Contact: <sip:far@10.0.0.2:5060>")
		if ok := far.expect("200"); ok.get("Expires") != "60" {
			t.Errorf("%+v", ok)
		}
		far.reply(far.expect("NOTIFY"), "200 OK", "")
		last, took := far.lasted(time.Now(), "NOTIFY")
		if !strings.HasPrefix(last.get("Subscription-State"), "terminated") || took.Round(time.Second) != time.Minute {
			t.Errorf("after %v: %+v", took, last)
		}
		far.reply(last, "200 OK", "")
		hangUp(far, o)
	})
}
