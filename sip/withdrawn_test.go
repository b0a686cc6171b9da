package sip_test

import (
	"strings"
	"testing"
	"time"

	"b2bua/sip"
)

// updating gives an inbound call that rings, whose caller has made another offer
// by UPDATE and waits for its answer.
func updating(b *bench, far *peer, extra ...string) (d, invite *dialogue, o *owner) {
	b.t.Helper()
	d, o, m := ringsReliably(b, far, "Supported: 100rel", withMedia)
	first := *d
	first.cseq, first.branch, first.target = 1, "z9hG4bK-"+d.callID+"-1", "sip:+15551000@10.0.0.1"
	first.remote = "<sip:+15551000@10.0.0.1>"
	d.prack(m, "")
	far.expect("200")
	d.send("UPDATE", offerSDP, extra...)
	told[sip.Offered](o)
	return d, &first, o
}

// dialogOf is the far end's side of a dialled leg's dialog.
func (p *peer) dialogOf(inv message, tag string) *dialogue {
	return &dialogue{p: p, callID: inv.get("Call-ID"), local: inv.get("To") + ";tag=" + tag, remote: inv.get("From"),
		target: strings.Trim(inv.get("Contact"), "<>"), cseq: 100}
}

// An offer that is pending when the leg ends is answered, however it ends
// (RFC 3261 §15.1.2): no transaction is left over.
func TestOfferEndsWithItsLeg(t *testing.T) {
	t.Run("cancelled", func(t *testing.T) {
		story(t, func(b *bench) {
			far := b.peer(trunkAt)
			_, invite, o := updating(b, far)
			invite.cancel()
			far.expect("200")
			failed := far.expect("487")
			if other := far.expect("487"); failed.method() != "INVITE" || other.method() != "UPDATE" {
				t.Errorf("%+v and %+v", failed, other)
			}
			invite.ackFailure(failed)
			told[sip.Ended](o)
		})
	})
	t.Run("rejected", func(t *testing.T) {
		story(t, func(b *bench) {
			far := b.peer(trunkAt)
			_, invite, o := updating(b, far)
			o.do(func(l *sip.Leg) { l.Reject(486, "") })
			failed := far.expect("486")
			if m := far.expect("487"); m.method() != "UPDATE" {
				t.Errorf("%+v", m)
			}
			invite.ackFailure(failed)
		})
	})
	t.Run("refused", func(t *testing.T) {
		story(t, func(b *bench) {
			far := b.peer(trunkAt)
			o := b.dial(sip.Dial{})
			inv := far.expect("INVITE")
			far.reply(inv, "183 Progress", answerSDP, reliably(9), "Allow: UPDATE")
			told[sip.Progressed](o)
			far.reply(far.expect("PRACK"), "200 OK", "")
			far.dialogOf(inv, "callee").send("UPDATE", offerSDP)
			if ev := told[sip.Offered](o); ev.Dialog != "callee" {
				t.Errorf("%+v", ev)
			}
			far.reply(inv, "486 Busy", "")
			far.expect("ACK")
			if m := far.expect("487"); m.method() != "UPDATE" {
				t.Errorf("%+v", m)
			}
			told[sip.Rejected](o)
		})
	})
}

// An owner that says nothing does not block the dialog: after 64*T1 nobody waits
// for its answer any more (RFC 3261 §17.1.2.2).
func TestOfferThatNobodyAnswersLapses(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d, invite, o := updating(b, far)
		old := o.offer
		far.silent(33 * time.Second)
		o.do(func(l *sip.Leg) { l.AcceptOffer(old, []byte("v=1")) })
		far.silent(100 * time.Millisecond)
		d.send("UPDATE", offerSDP)
		told[sip.Offered](o)
		o.do(func(l *sip.Leg) { l.AcceptOffer(o.offer, []byte("v=2")) })
		if ok := far.expect("200"); ok.body != "v=2" {
			t.Errorf("%+v", ok)
		}
		o.do(func(l *sip.Leg) { l.Reject(486, "") })
		invite.ackFailure(far.expect("486"))
	})
}

// An UPDATE that came before the answer says nothing about the session that the
// answer opens: its timer stays (RFC 4028).
func TestEarlyUpdateKeepsTheSessionTimer(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		far.reply(inv, "183 Progress", answerSDP, reliably(9), "Allow: UPDATE")
		told[sip.Progressed](o)
		far.reply(far.expect("PRACK"), "200 OK", "")
		far.dialogOf(inv, "callee").send("UPDATE", offerSDP)
		told[sip.Offered](o)
		far.reply(inv, "200 OK", "", "Allow: UPDATE", "Supported: timer", "Require: timer", "Session-Expires: 600;refresher=uac")
		far.expect("ACK")
		told[sip.Answered](o)
		o.do(func(l *sip.Leg) { l.AcceptOffer(o.offer, []byte("v=7")) })
		ok := far.expect("200")
		if ok.body != "v=7" || ok.get("Session-Expires") != "" {
			t.Errorf("%+v", ok)
		}
		up, took := far.lasted(ok.at, "UPDATE")
		if took != 5*time.Minute {
			t.Errorf("refreshed after %v", took)
		}
		far.reply(up, "200 OK", "", "Session-Expires: 600;refresher=uac")
		hangUp(far, o)
	})
}

// The answer to an offer that has been taken back is not sent for the next one.
func TestLateAnswerIsNotThatOfTheNextOffer(t *testing.T) {
	story(t, func(b *bench) {
		far, d, o := talking(b)
		d.send("INVITE", offerSDP, "Contact: <sip:far@10.0.0.2:5060>")
		far.expect("100")
		first := told[sip.Offered](o)
		d.cancel()
		far.expect("200")
		d.ackFailure(far.expect("487"))
		d.send("INVITE", "v=2", "Contact: <sip:far@10.0.0.2:5060>")
		far.expect("100")
		second := told[sip.Offered](o)
		o.do(func(l *sip.Leg) { l.AcceptOffer(first.ID, []byte("v=91")); l.RefuseOffer(first.ID, 488) })
		far.silent(time.Second)
		o.do(func(l *sip.Leg) { l.AcceptOffer(second.ID, []byte("v=92")) })
		if ok := far.expect("200"); ok.body != "v=92" {
			t.Errorf("%+v", ok)
		}
		d.ack()
		hangUp(far, o)
	})
}

// The offer of a phone that has not won the call is over with its dialog, and
// does not stand in the way of the winner's.
func TestOfferOfAPhoneThatLoses(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		to := func(tag string) string { return "To: " + inv.get("To") + ";tag=" + tag }
		for _, tag := range []string{"a", "b"} {
			far.reply(inv, "183 Progress", answerSDP, reliably(9), "Allow: UPDATE", to(tag))
			told[sip.Progressed](o)
			far.reply(far.expect("PRACK"), "200 OK", "")
		}
		far.dialogOf(inv, "a").send("UPDATE", offerSDP)
		if ev := told[sip.Offered](o); ev.Dialog != "a" {
			t.Errorf("%+v", ev)
		}
		late := o.offer
		far.reply(inv, "200 OK", "", to("b"))
		far.expect("ACK")
		if m := far.expect("487"); m.method() != "UPDATE" || m.tag("From") != "a" {
			t.Errorf("%+v", m)
		}
		told[sip.Answered](o)
		b2 := far.dialogOf(inv, "b")
		b2.send("INVITE", offerSDP, "Contact: <sip:b@10.0.0.2:5060>")
		far.expect("100")
		if ev := told[sip.Offered](o); ev.Dialog != "b" {
			t.Errorf("%+v", ev)
		}
		o.do(func(l *sip.Leg) { l.AcceptOffer(late, []byte("v=1")); l.AcceptOffer(o.offer, []byte("v=2")) })
		if ok := far.expect("200"); ok.body != "v=2" {
			t.Errorf("%+v", ok)
		}
		b2.ack()
		hangUp(far, o)
	})
}
