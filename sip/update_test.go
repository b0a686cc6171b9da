package sip_test

import (
	"strings"
	"testing"
	"time"

	"b2bua/sip"
)

// The caller changes the session before it is answered: only once its first offer
// has its answer (RFC 3311 §5.1, §5.2).
func TestUpdateFromCallerBeforeTheAnswer(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call("Supported: 100rel", "Allow: INVITE, ACK, BYE, UPDATE, PRACK")
		far.expect("100")
		o, _ := b.take()
		o.do((*sip.Leg).Ring)
		d.answered(far.expect("180"))
		d.send("UPDATE", offerSDP)
		if m := far.expect("500"); m.get("Retry-After") == "" {
			t.Errorf("%+v", m)
		}
		o.do(withMedia)
		first := far.expect("183")
		d.prack(first, "")
		far.expect("200")
		d.send("UPDATE", offerSDP, "Contact: <sip:moved@10.0.0.2:5060>")
		if ev := told[sip.Offered](o); string(ev.SDP) != offerSDP {
			t.Errorf("%+v", ev)
		}
		d.send("UPDATE", "") // before the first one is answered
		far.expect("500")
		o.do(func(l *sip.Leg) { l.AcceptOffer(o.offer, []byte("v=7")) })
		if ok := far.expect("200"); ok.method() != "UPDATE" || ok.body != "v=7" || ok.get("Session-Expires") != "" {
			t.Errorf("%+v", ok)
		}
		d.send("UPDATE", offerSDP)
		told[sip.Offered](o)
		o.do(func(l *sip.Leg) { l.RefuseOffer(o.offer, 488) })
		far.expect("488")
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		if ok := far.expect("200"); ok.body != "" {
			t.Errorf("%+v", ok)
		}
		far.write(d.text("ACK", "z9hG4bKack1", 1, ""))
		told[sip.Confirmed](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		far.reply(far.expect("BYE sip:moved@"), "200 OK", "")
	})
}

// We do so, too; what would be too early waits.
func TestUpdateFromUsBeforeTheAnswer(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call("Supported: 100rel", "Allow: INVITE, ACK, BYE, UPDATE, PRACK")
		far.expect("100")
		o, _ := b.take()
		o.do(withMedia)
		first := far.expect("183")
		d.answered(first)
		o.do(func(l *sip.Leg) { l.Reinvite([]byte("v=5")) })
		far.silent(100 * time.Millisecond)
		d.prack(first, "")
		far.expect("200")
		up := far.expect("UPDATE")
		if up.body != "v=5" || up.get("Contact") == "" {
			t.Errorf("%+v", up)
		}
		d.send("UPDATE", offerSDP) // glare
		far.expect("491")
		far.reply(up, "200 OK", answerSDP)
		if ev := told[sip.Reanswered](o); string(ev.SDP) != answerSDP {
			t.Errorf("%+v", ev)
		}
		o.do(func(l *sip.Leg) { l.Reinvite([]byte("v=6")) })
		far.reply(far.expect("UPDATE"), "488 No", "")
		told[sip.ReofferRefused](o)
		o.do(func(l *sip.Leg) { l.Reject(480, "") })
		invite := *d
		invite.cseq, invite.branch, invite.target = 1, "z9hG4bK-"+d.callID+"-1", "sip:+15551000@10.0.0.1"
		invite.ackFailure(far.expect("480"))
	})
}

// Both ways on a dialled leg: the answer tells nothing that is out of date.
func TestUpdateOnADialledLegBeforeTheAnswer(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		far.reply(inv, "183 Progress", answerSDP, reliably(9), "Allow: UPDATE")
		told[sip.Progressed](o)
		far.reply(far.expect("PRACK"), "200 OK", "")
		o.do(func(l *sip.Leg) { l.Reinvite([]byte("v=5")) })
		up := far.expect("UPDATE")
		far.reply(up, "491 Request Pending", "")
		again := far.expect("UPDATE")
		far.reply(again, "200 OK", "v=51")
		told[sip.Reanswered](o)
		d := &dialogue{p: far, callID: inv.get("Call-ID"), local: up.get("To"), remote: inv.get("From"),
			target: strings.Trim(inv.get("Contact"), "<>"), cseq: 10}
		d.send("UPDATE", "v=61")
		if ev := told[sip.Offered](o); string(ev.SDP) != "v=61" {
			t.Errorf("%+v", ev)
		}
		o.do(func(l *sip.Leg) { l.AcceptOffer(o.offer, []byte("v=6")) })
		far.expect("200")
		o.do(func(l *sip.Leg) { l.Reinvite([]byte("v=7")) })
		last := far.expect("UPDATE")
		far.reply(inv, "200 OK", answerSDP, "Allow: UPDATE")
		far.expect("ACK")
		if ev := told[sip.Answered](o); ev.SDP != nil {
			t.Errorf("%+v", ev)
		}
		far.reply(last, "200 OK", "v=71")
		told[sip.Reanswered](o)
		hangUp(far, o)
	})
}

// What cannot be asked before the answer is asked after it.
func TestReinviteWaitsForTheAnswer(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		o.do(func(l *sip.Leg) { l.Reinvite([]byte("v=5")) })
		far.reply(inv, "183 Progress", answerSDP)
		told[sip.Progressed](o)
		far.silent(time.Second)
		far.reply(inv, "200 OK", answerSDP)
		far.expect("ACK")
		told[sip.Answered](o)
		far.reply(far.expect("INVITE"), "200 OK", answerSDP)
		far.expect("ACK")
		told[sip.Reanswered](o)
		hangUp(far, o)
	})
}
