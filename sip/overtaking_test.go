package sip_test

import (
	"testing"
	"time"

	"b2bua/sip"
)

// Each of these forces an order that the network, or a proxy with several
// threads, can make of messages sent the other way round.

func TestCancelRightBehindInvite(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		for range 50 {
			d := far.call()
			d.cancel()
			far.expect("100")
			far.expect("200")
			d.ackFailure(far.expect("487"))
			o, _ := b.take()
			if ev := told[sip.Ended](o); ev.By != sip.ByCancel {
				t.Errorf("%+v", ev)
			}
		}
	})
}

func TestCancelIsHeldForItsInvite(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := &dialogue{p: far, callID: "turned", local: "<sip:a@b>;tag=a", remote: "<sip:+15551000@10.0.0.1>", target: "sip:+15551000@10.0.0.1", cseq: 1}
		invite := d.invite(offerSDP)
		d.cancel()
		time.Sleep(99 * time.Millisecond)
		far.write(invite)
		far.expect("100")
		far.expect("200")
		d.ackFailure(far.expect("487"))
		o, _ := b.take()
		told[sip.Ended](o)
	})
}

func TestAnswerBeforeRinging(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		far.reply(inv, "200 OK", answerSDP)
		far.expect("ACK")
		told[sip.Answered](o)
		far.reply(inv, "180 Ringing", "")
		far.reply(inv, "183 Progress", "v=2")
		o.toldNothing()
		if o.leg.State() != sip.StateConfirmed {
			t.Errorf("state %v", o.leg.State())
		}
		hangUp(far, o)
	})
}

// The description of a 2xx that has none is that of the provisional response
// before it, also when the network turns the two round.
func TestEarlyDescriptionBehindTheAnswer(t *testing.T) {
	for _, late := range []time.Duration{0, 90 * time.Millisecond} {
		story(t, func(b *bench) {
			far := b.peer(trunkAt)
			o := b.dial(sip.Dial{})
			inv := far.expect("INVITE")
			far.reply(inv, "200 OK", "")
			far.expect("ACK")
			time.Sleep(late)
			far.reply(inv, "183 Progress", "v=other", "To: "+inv.get("To")+";tag=other")
			far.reply(inv, "183 Progress", answerSDP)
			if ev := told[sip.Answered](o); string(ev.SDP) != answerSDP {
				t.Errorf("%+v", ev)
			}
			hangUp(far, o)
		})
	}
	story(t, func(b *bench) { // in order
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		far.reply(inv, "183 Progress", answerSDP)
		told[sip.Progressed](o)
		far.reply(inv, "200 OK", "")
		far.expect("ACK")
		if ev := told[sip.Answered](o); string(ev.SDP) != answerSDP {
			t.Errorf("%+v", ev)
		}
		hangUp(far, o)
	})
	story(t, func(b *bench) { // none at all
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		far.reply(inv, "200 OK", "")
		at := far.expect("ACK").at
		if ev := told[sip.Answered](o); ev.SDP != nil || time.Since(at) > 100*time.Millisecond {
			t.Errorf("%+v after %v", ev, time.Since(at))
		}
		hangUp(far, o)
	})
}

func TestLateInviteIsNoNewCall(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		invite := d.invite(offerSDP)
		far.expect("100")
		o, _ := b.take()
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		d.answered(far.expect("200"))
		d.ack()
		told[sip.Confirmed](o)
		d.send("BYE", "")
		far.expect("200")
		told[sip.Ended](o)
		time.Sleep(20 * time.Second)
		far.write(invite)
		far.silent(5 * time.Second)
		b.nobodyInvited()
	})
}

// An ACK that belongs to nothing, or to another INVITE, changes nothing.
func TestStrayAcks(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		far.write("ACK sip:x@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKbare\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: bare\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n")
		d := far.call()
		far.expect("100")
		o, _ := b.take()
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		d.answered(far.expect("200"))
		far.write(d.text("ACK", "z9hG4bKwrong", 7, ""))
		far.expect("200")
		if o.leg.State() != sip.StateAnswered {
			t.Errorf("state %v", o.leg.State())
		}
		d.ack()
		told[sip.Confirmed](o)
		d.ack()
		hangUp(far, o)
	})
}
