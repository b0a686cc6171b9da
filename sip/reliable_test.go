package sip_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
)

// ringsReliably gives an inbound call of a caller who knows 100rel (RFC 3262),
// and what it is told by the first provisional response.
func ringsReliably(b *bench, far *peer, header string, ring func(*sip.Leg)) (*dialogue, *owner, message) {
	b.t.Helper()
	d := far.call(header, "Allow: INVITE, ACK, BYE, UPDATE, PRACK")
	far.expect("100")
	o, _ := b.take()
	o.do(ring)
	m := far.expect("18")
	d.answered(m)
	return d, o, m
}

func withMedia(l *sip.Leg) { l.Progress(183, []byte(answerSDP)) }

// prack acknowledges a reliable response to an INVITE with the number 1.
func (d *dialogue) prack(m message, sdp string) {
	d.send("PRACK", sdp, "RAck: "+m.get("RSeq")+" 1 INVITE")
}

func rseq(t testing.TB, m message) int {
	t.Helper()
	n, err := strconv.Atoi(m.get("RSeq"))
	if err != nil || n < 1 || m.get("Require") != "100rel" {
		t.Errorf("not reliable: %+v", m)
	}
	return n
}

// A description goes reliably to who supports that; the 200 waits for the PRACK
// and says nothing again (RFC 3262 §3, §5).
func TestEarlyMediaIsReliable(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d, o, first := ringsReliably(b, far, "Supported: 100rel", withMedia)
		if n := rseq(t, first); n >= 1<<31 || first.body != answerSDP || first.get("Contact") == "" {
			t.Errorf("%+v", first)
		}
		for _, wait := range []time.Duration{500, 1000, 2000} { // doubling, without an upper bound
			again := far.expect("183")
			if again.get("RSeq") != first.get("RSeq") || again.at.Sub(first.at) != wait*time.Millisecond {
				t.Errorf("%v later: %+v", again.at.Sub(first.at), again)
			}
			first.at = again.at
		}
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		far.silent(time.Second)
		if o.leg.State() != sip.StateEarly {
			t.Errorf("state %v", o.leg.State())
		}
		d.prack(first, "")
		if m := far.expect("200"); m.method() != "PRACK" {
			t.Errorf("got %+v", m)
		}
		ok := far.expect("200")
		if ok.method() != "INVITE" || ok.body != "" {
			t.Errorf("got %+v", ok)
		}
		d.answered(ok)
		invite := *d
		invite.cseq = 1
		invite.ack()
		told[sip.Confirmed](o)
		hangUp(far, o)
	})
}

// A caller who insists gets every response above 100 reliably, one after the
// other, and one without a description does not hold up the answer.
func TestReliableResponsesQueue(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d, o, ring := ringsReliably(b, far, "Require: 100rel", (*sip.Leg).Ring)
		n := rseq(t, ring)
		o.do(func(l *sip.Leg) { l.Progress(181, nil); l.Progress(183, []byte(answerSDP)) })
		if again := far.expect("180"); again.get("RSeq") != ring.get("RSeq") {
			t.Errorf("%+v", again)
		}
		for i, want := range []string{"181", "183"} {
			d.prack(ring, "")
			far.expect("200")
			ring = far.expect(want)
			if got := rseq(t, ring); got != n+i+1 {
				t.Errorf("RSeq %d after %d", got, n)
			}
		}
		d.prack(ring, "")
		far.expect("200")
		o.do(func(l *sip.Leg) { l.Progress(180, nil) })
		ring = far.expect("180")
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		ok := far.expect("200") // the 180 says nothing it stands by
		// A late PRACK is in order still (RFC 3262 §3).
		d.prack(ring, "")
		if m := far.expect("200"); m.method() != "PRACK" {
			t.Errorf("got %+v", m)
		}
		d.answered(ok)
		far.write(d.text("ACK", "z9hG4bKack1", 1, ""))
		told[sip.Confirmed](o)
		hangUp(far, o)
	})
}

func TestPrackNeverComes(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d, o, first := ringsReliably(b, far, "Supported: 100rel", withMedia)
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) }) // waits in vain
		n := 1
		for {
			m, ok := far.next(time.Minute)
			if !ok || !strings.Contains(m.start, "183") {
				if !strings.Contains(m.start, "504") || m.at.Sub(first.at) != 32*time.Second {
					t.Errorf("%v later %+v", m.at.Sub(first.at), m)
				}
				d.ackFailure(m)
				break
			}
			n++
		}
		if n != 7 { // 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s
			t.Errorf("sent %d times", n)
		}
		if ev := told[sip.Ended](o); ev.By != sip.ByAckTimeout || ev.Code != 504 {
			t.Errorf("ended %+v", ev)
		}
	})
}

func TestPrackForNothing(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d, o, m := ringsReliably(b, far, "Supported: 100rel", withMedia)
		n := rseq(t, m)
		for _, rack := range []string{"", "x", strconv.Itoa(n+1) + " 1 INVITE", strconv.Itoa(n) + " 2 INVITE", strconv.Itoa(n) + " 1 BYE"} {
			d.send("PRACK", "", "RAck: "+rack)
			far.expect("481")
		}
		d.prack(m, "")
		far.expect("200")
		d.prack(m, "") // once is enough
		far.expect("481")
		d.cseq = 1
		d.branch = "z9hG4bK-" + d.callID + "-1"
		d.remote = strings.Split(d.remote, ";")[0]
		d.target = "sip:+15551000@10.0.0.1"
		d.cancel()
		far.expect("200")
		d.ackFailure(far.expect("487"))
		told[sip.Ended](o)
	})
}

// A rejection waits for no PRACK (RFC 3262 §3).
func TestRejectionDoesNotWaitForPrack(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d, o, _ := ringsReliably(b, far, "Supported: 100rel", withMedia)
		o.do(func(l *sip.Leg) { l.Reject(486, "") })
		m := far.expect("486")
		invite := *d
		invite.cseq, invite.branch, invite.target = 1, "z9hG4bK-"+d.callID+"-1", "sip:+15551000@10.0.0.1"
		invite.ackFailure(m)
		far.silent(5 * time.Second)
	})
}

// The offer in a PRACK is answered in its 200, or refused; the 200 to the INVITE
// waits for that, too.
func TestOfferInPrack(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		story(t, func(b *bench) {
			far := b.peer(trunkAt)
			d, o, m := ringsReliably(b, far, "Supported: 100rel", withMedia)
			d.prack(m, offerSDP)
			if ev := told[sip.Offered](o); string(ev.SDP) != offerSDP {
				t.Errorf("offered %+v", ev)
			}
			o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
			far.silent(100 * time.Millisecond)
			if refuse {
				o.do(func(l *sip.Leg) { l.RefuseOffer(o.offer, 488) })
				far.expect("488")
			} else {
				o.do(func(l *sip.Leg) { l.AcceptOffer(o.offer, []byte("v=9")) })
				if ok := far.expect("200"); ok.method() != "PRACK" || ok.body != "v=9" {
					t.Errorf("got %+v", ok)
				}
			}
			ok := far.expect("200")
			if ok.method() != "INVITE" || ok.body != "" {
				t.Errorf("got %+v", ok)
			}
			far.write(d.text("ACK", "z9hG4bKack1", 1, ""))
			told[sip.Confirmed](o)
			hangUp(far, o)
		})
	}
}

// Without an offer in the INVITE ours goes with the first reliable response, and
// the answer comes with its PRACK; who does not insist gets it with the 200.
func TestReliableWithoutOffer(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := &dialogue{p: far, callID: "late", local: "<sip:a@b>;tag=a", remote: "<sip:+15551000@10.0.0.1>", target: "sip:+15551000@10.0.0.1", cseq: 1}
		far.write(d.invite("", "Require: 100rel"))
		far.expect("100")
		o, in := b.take()
		if !in.Reliable {
			t.Error("nothing said about 100rel")
		}
		o.do((*sip.Leg).Ring) // has no offer, so it cannot be sent
		o.do(func(l *sip.Leg) { l.Progress(180, []byte(offerSDP)) })
		ring := far.expect("180")
		if rseq(t, ring); ring.body != offerSDP {
			t.Errorf("%+v", ring)
		}
		d.answered(ring)
		d.prack(ring, "")
		far.expect("400") // the answer belongs there
		d.prack(ring, answerSDP)
		far.expect("200")
		if ev := told[sip.Reanswered](o); string(ev.SDP) != answerSDP {
			t.Errorf("%+v", ev)
		}
		o.do(func(l *sip.Leg) { l.Answer([]byte(offerSDP)) })
		if ok := far.expect("200"); ok.body != "" {
			t.Errorf("%+v", ok)
		}
		far.write(d.text("ACK", "z9hG4bKack1", 1, ""))
		told[sip.Confirmed](o)
		hangUp(far, o)
	})
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := &dialogue{p: far, callID: "late", local: "<sip:a@b>;tag=a", remote: "<sip:+15551000@10.0.0.1>", target: "sip:+15551000@10.0.0.1", cseq: 1}
		far.write(d.invite("", "Supported: 100rel"))
		far.expect("100")
		o, _ := b.take()
		o.do(func(l *sip.Leg) { l.Progress(183, []byte(offerSDP)) })
		if m := far.expect("183"); m.body != "" || m.get("RSeq") != "" {
			t.Errorf("%+v", m)
		}
		o.do(func(l *sip.Leg) { l.Answer([]byte(offerSDP)) })
		ok := far.expect("200")
		if ok.body != offerSDP {
			t.Errorf("%+v", ok)
		}
		d.answered(ok)
		far.write(d.text("ACK", "z9hG4bKack1", 1, answerSDP))
		if ev := told[sip.Confirmed](o); string(ev.SDP) != answerSDP {
			t.Errorf("%+v", ev)
		}
		hangUp(far, o)
	})
}

// What was acknowledged is not repeated once a minute: it is said anew.
func TestReliableRingingGoesOn(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d, o, first := ringsReliably(b, far, "Require: 100rel", (*sip.Leg).Ring)
		d.prack(first, "")
		far.expect("200")
		m, _ := far.next(time.Minute)
		if rseq(t, m) != rseq(t, first)+1 || m.at.Sub(first.at) != 55*time.Second {
			t.Errorf("%v later %+v", m.at.Sub(first.at), m)
		}
		d.prack(m, "")
		far.expect("200")
		d.send("BYE", "")
		far.expect("200")
		invite := *d
		invite.cseq, invite.branch, invite.target = 1, "z9hG4bK-"+d.callID+"-1", "sip:+15551000@10.0.0.1"
		invite.ackFailure(far.expect("487"))
		told[sip.Ended](o)
	})
}
