package sip_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
)

// talking gives an inbound call that has been answered.
func talking(b *bench) (*peer, *dialogue, *owner) {
	b.t.Helper()
	far := b.peer(trunkAt)
	d := far.call()
	far.expect("100")
	o, _ := b.take()
	o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
	d.answered(far.expect("200"))
	d.ack()
	told[sip.Confirmed](o)
	return far, d, o
}

// called gives an outbound call that has been answered.
func called(b *bench) (*peer, *dialogue, *owner) {
	b.t.Helper()
	far := b.peer(trunkAt)
	o := b.dial(sip.Dial{})
	inv := far.expect("INVITE")
	far.reply(inv, "200 OK", answerSDP)
	ack := far.expect("ACK")
	told[sip.Answered](o)
	return far, &dialogue{p: far, callID: inv.get("Call-ID"), local: ack.get("To"), remote: ack.get("From"),
		target: strings.Trim(inv.get("Contact"), "<>"), cseq: 100}, o
}

func hangUp(far *peer, o *owner) {
	far.b.t.Helper()
	o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
	far.reply(far.expect("BYE"), "200 OK", "")
}

func TestReinviteFromFarEnd(t *testing.T) {
	for _, side := range []func(*bench) (*peer, *dialogue, *owner){talking, called} {
		story(t, func(b *bench) {
			far, d, o := side(b)
			d.send("INVITE", offerSDP, "Contact: <sip:moved@10.0.0.2:5060>")
			far.expect("100")
			if ev := told[sip.Offered](o); string(ev.SDP) != offerSDP {
				t.Errorf("offered %+v", ev)
			}
			o.do(func(l *sip.Leg) { l.AcceptOffer(o.offer, []byte(answerSDP)) })
			if ok := far.expect("200"); ok.body != answerSDP {
				t.Errorf("answer %+v", ok)
			}
			if again := far.expect("200"); again.body != answerSDP { // no ACK yet
				t.Errorf("repeated %+v", again)
			}
			d.ack()
			// Refused: the session stays.
			d.send("INVITE", offerSDP, "Contact: <sip:moved@10.0.0.2:5060>")
			far.expect("100")
			told[sip.Offered](o)
			o.do(func(l *sip.Leg) { l.RefuseOffer(o.offer, 488) })
			d.ackFailure(far.expect("488"))
			// The target moved with the first of them.
			o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
			far.reply(far.expect("BYE sip:moved@10.0.0.2:5060"), "200 OK", "")
			o.toldNothing()
		})
	}
}

func TestReinviteWithoutOfferAsksForOurs(t *testing.T) {
	story(t, func(b *bench) {
		far, d, o := talking(b)
		d.send("INVITE", "", "Contact: <sip:far@10.0.0.2:5060>")
		far.expect("100")
		if ev := told[sip.Offered](o); ev.SDP != nil {
			t.Errorf("offered %+v", ev)
		}
		o.do(func(l *sip.Leg) { l.AcceptOffer(o.offer, []byte(offerSDP)) })
		far.expect("200")
		far.write(d.text("ACK", "z9hG4bKack9", d.cseq, answerSDP))
		if ev := told[sip.Reanswered](o); string(ev.SDP) != answerSDP {
			t.Errorf("reanswered %+v", ev)
		}
		hangUp(far, o)
	})
}

func TestReinviteUnacknowledgedEndsTheCall(t *testing.T) {
	story(t, func(b *bench) {
		far, d, o := talking(b)
		d.send("INVITE", offerSDP, "Contact: <sip:far@10.0.0.2:5060>")
		far.expect("100")
		told[sip.Offered](o)
		o.do(func(l *sip.Leg) { l.AcceptOffer(o.offer, []byte(answerSDP)) })
		for range 11 {
			far.expect("200")
		}
		far.reply(far.expect("BYE"), "200 OK", "")
		if ev := told[sip.Ended](o); ev.By != sip.ByAckTimeout {
			t.Errorf("ended %+v", ev)
		}
	})
}

func TestUpdate(t *testing.T) {
	story(t, func(b *bench) {
		far, d, o := called(b)
		d.send("UPDATE", "")
		far.expect("200") // only the target
		d.send("UPDATE", offerSDP, "Contact: <sip:moved@10.0.0.2:5060>")
		told[sip.Offered](o)
		o.do(func(l *sip.Leg) { l.AcceptOffer(o.offer, []byte(answerSDP)) })
		if ok := far.expect("200"); ok.body != answerSDP {
			t.Errorf("answer %+v", ok)
		}
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		far.reply(far.expect("BYE sip:moved@"), "200 OK", "")
	})
}

func TestReinviteFromUs(t *testing.T) {
	story(t, func(b *bench) {
		far, _, o := talking(b)
		o.do(func(l *sip.Leg) { l.Reinvite([]byte(offerSDP)) })
		inv := far.expect("INVITE")
		if inv.body != offerSDP || inv.get("Contact") == "" {
			t.Errorf("invite %+v", inv)
		}
		o.do(func(l *sip.Leg) { l.Reinvite([]byte("v=1")); l.Reinvite([]byte("v=2")) }) // wait for their turn
		far.reply(inv, "200 OK", answerSDP)
		far.expect("ACK")
		if ev := told[sip.Reanswered](o); string(ev.SDP) != answerSDP {
			t.Errorf("reanswered %+v", ev)
		}
		second := far.expect("INVITE")
		if second.body != "v=2" {
			t.Errorf("second %q", second.body)
		}
		far.reply(inv, "200 OK", answerSDP) // repeated
		far.expect("ACK")
		far.reply(second, "488 No", "")
		far.expect("ACK")
		if ev := told[sip.ReofferRefused](o); ev.Code != 488 {
			t.Errorf("refused %+v", ev)
		}
		hangUp(far, o)
	})
}

func TestReinviteTheFarEndHasForgotten(t *testing.T) {
	story(t, func(b *bench) {
		far, _, o := talking(b)
		o.do(func(l *sip.Leg) { l.Reinvite([]byte(offerSDP)) })
		far.reply(far.expect("INVITE"), "481 Who", "")
		far.expect("ACK")
		far.reply(far.expect("BYE"), "481 Who", "")
		if ev := told[sip.Ended](o); ev.By != sip.ByTransport || ev.Code != 481 {
			t.Errorf("ended %+v", ev)
		}
	})
}

func TestGlare(t *testing.T) {
	story(t, func(b *bench) {
		far, d, o := called(b)
		o.do(func(l *sip.Leg) { l.Reinvite([]byte(offerSDP)) })
		ours := far.expect("INVITE")
		d.send("INVITE", offerSDP, "Contact: <sip:callee@10.0.0.2:5060>")
		d.ackFailure(far.expect("491"))
		far.reply(ours, "491 Request Pending", "")
		ack := far.expect("ACK")
		// We made the Call-ID: 2.1 to 4 s later (RFC 3261 §14.1).
		again := far.expect("INVITE")
		if pause := again.at.Sub(ack.at); pause < 2*time.Second || pause > 4100*time.Millisecond {
			t.Errorf("tried again after %v", pause)
		}
		far.reply(again, "200 OK", answerSDP)
		far.expect("ACK")
		told[sip.Reanswered](o)
		hangUp(far, o)
	})
}

func TestGlareForEver(t *testing.T) {
	story(t, func(b *bench) {
		far, _, o := talking(b)
		o.do(func(l *sip.Leg) { l.Reinvite([]byte(offerSDP)) })
		for range 4 {
			far.reply(far.expect("INVITE"), "491 Request Pending", "")
			far.expect("ACK")
		}
		if ev := told[sip.ReofferRefused](o); ev.Code != 491 {
			t.Errorf("refused %+v", ev)
		}
		hangUp(far, o)
	})
}

func TestSecondOfferWhileOneIsPending(t *testing.T) {
	story(t, func(b *bench) {
		far, d, o := talking(b)
		d.send("INVITE", offerSDP, "Contact: <sip:far@10.0.0.2:5060>")
		first := d.branch
		far.expect("100")
		told[sip.Offered](o)
		o.do(func(l *sip.Leg) { l.Reinvite([]byte(offerSDP)) }) // has to wait
		d.send("UPDATE", offerSDP)
		if m := far.expect("500"); m.get("Retry-After") == "" {
			t.Errorf("got %+v", m)
		}
		// The pending one is cancelled: now it is our turn.
		far.write(d.text("CANCEL", first, d.cseq-1, ""))
		far.expect("200")
		far.expect("487")
		far.write(d.text("ACK", first, d.cseq-1, ""))
		inv := far.expect("INVITE")
		far.reply(inv, "200 OK", answerSDP)
		far.expect("ACK")
		told[sip.Reanswered](o)
		// BYE answers what is still pending.
		d.send("INVITE", offerSDP, "Contact: <sip:far@10.0.0.2:5060>")
		far.expect("100")
		told[sip.Offered](o)
		pending := *d
		d.send("BYE", "")
		far.expect("200")
		pending.ackFailure(far.expect("487"))
		told[sip.Ended](o)
	})
}

func TestInfo(t *testing.T) {
	story(t, func(b *bench) {
		far, d, o := talking(b)
		info := func(contentType, body string) {
			d.cseq++
			d.branch = "z9hG4bKinfo" + strconv.Itoa(d.cseq)
			text := d.text("INFO", d.branch, d.cseq, body)
			far.write(strings.Replace(text, "application/sdp", contentType, 1))
		}
		info("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n")
		far.expect("200")
		if ev := told[sip.InfoReceived](o); ev.ContentType != "application/dtmf-relay" || !strings.HasPrefix(string(ev.Body), "Signal=5") {
			t.Errorf("info %+v", ev)
		}
		info("", "")
		far.expect("200")
		info("application/strange", "x")
		if m := far.expect("415"); m.get("Accept") == "" {
			t.Errorf("got %+v", m)
		}
		o.do(func(l *sip.Leg) { l.Info("application/dtmf-relay\r\nX: y", []byte("Signal=1\r\n")) })
		m := far.expect("INFO")
		if m.get("X") != "" || m.body != "Signal=1\r\n" {
			t.Errorf("info %+v", m)
		}
		far.reply(m, "200 OK", "")
		hangUp(far, o)
	})
}

func TestRequestsWithinTheDialog(t *testing.T) {
	story(t, func(b *bench) {
		far, d, o := talking(b)
		d.send("OPTIONS", "")
		if m := far.expect("200"); !strings.Contains(m.get("Allow"), "UPDATE") {
			t.Errorf("options %+v", m)
		}
		d.send("FOO", "")
		if m := far.expect("501"); m.get("Allow") == "" {
			t.Errorf("got %+v", m)
		}
		d.send("PRACK", "")
		far.expect("481")
		d.send("INFO", "", "Require: nothing-we-know")
		if m := far.expect("420"); m.get("Unsupported") != "nothing-we-know" {
			t.Errorf("got %+v", m)
		}
		d.cseq -= 3
		d.send("INFO", "") // lower than what was seen
		far.expect("500")
		d.cseq += 10
		wrong := *d
		wrong.local = "<sip:+15559999@carrier.example>;tag=somebody-else"
		wrong.send("BYE", "")
		far.expect("481")
		wrong = *d
		wrong.remote = "<sip:x@y>;tag=unknown"
		wrong.send("BYE", "")
		far.expect("481")
		hangUp(far, o)
		d.send("INFO", "")
		far.expect("481")
	})
}

func TestByesCross(t *testing.T) {
	story(t, func(b *bench) {
		far, d, o := talking(b)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		ours := far.expect("BYE")
		d.send("BYE", "")
		far.expect("200")
		far.reply(ours, "200 OK", "")
	})
}

func TestByeIsNeverAnswered(t *testing.T) {
	story(t, func(b *bench) {
		far, _, o := talking(b)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		n := 0
		for {
			if _, ok := far.next(40 * time.Second); !ok {
				break
			}
			n++
		}
		if n != 11 { // 0, 0.5, 1.5, 3.5, 7.5, then every 4 s until 32
			t.Errorf("BYE sent %d times", n)
		}
	})
}

// Requests that follow at once are taken in order: digits by INFO count on it.
func TestOrderIsKept(t *testing.T) {
	story(t, func(b *bench) {
		far, d, o := talking(b)
		const n = 200
		for i := range n {
			d.cseq++
			text := d.text("INFO", "z9hG4bKo"+strconv.Itoa(i), d.cseq, "Signal="+strconv.Itoa(i))
			far.write(strings.Replace(text, "application/sdp", "application/dtmf-relay", 1))
		}
		for i := range n {
			far.expect("200")
			if ev := told[sip.InfoReceived](o); string(ev.Body) != "Signal="+strconv.Itoa(i) {
				t.Fatalf("%d: %s", i, ev.Body)
			}
		}
		hangUp(far, o)
	})
}
