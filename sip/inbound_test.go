package sip_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
)

func TestInboundAnsweredAndHungUpByCaller(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call("X-Account: 7")
		far.expect("100")
		o, in := b.take()
		if in.To.User != "+15551000" || in.From.User != "+15559999" || in.Trunk == nil || in.Device != nil ||
			string(in.Offer) != offerSDP || in.Header("x-account") != "7" || in.MaxForwards != 69 || in.Anonymous || in.Source != trunkAt {
			t.Errorf("invitation %+v", in)
		}
		o.do((*sip.Leg).Ring)
		ringing := far.expect("180")
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		ok := far.expect("200")
		if ok.body != answerSDP || ok.tag("To") != ringing.tag("To") || ok.tag("To") == "" {
			t.Errorf("answer %+v", ok)
		}
		if o.leg.State() != sip.StateAnswered {
			t.Errorf("state %v", o.leg.State())
		}
		d.answered(ok)
		d.ack()
		told[sip.Confirmed](o)
		far.silent(5 * time.Second)
		d.send("BYE", "", `Reason: Q.850;cause=16;text="Normal"`)
		far.expect("200")
		if ev := told[sip.Ended](o); ev.By != sip.ByBye || ev.ReasonHeader != `Q.850;cause=16;text="Normal"` {
			t.Errorf("ended %+v", ev)
		}
		if o.leg.State() != sip.StateEnded {
			t.Errorf("state %v", o.leg.State())
		}
	})
}

func TestInboundHungUpByOwner(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		far.expect("100")
		o, _ := b.take()
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		d.answered(far.expect("200"))
		d.ack()
		told[sip.Confirmed](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{Protocol: "SIP", Cause: 200, Text: "time \"limit\"\r\nX: y"}) })
		bye := far.expect("BYE")
		if got := bye.get("Reason"); got != `SIP;cause=200;text="time \"limit\"X: y"` {
			t.Errorf("reason %s", got)
		}
		if bye.get("From") != d.remote || bye.get("To") != d.local || bye.get("X") != "" {
			t.Errorf("bye %+v", bye)
		}
		far.reply(bye, "200 OK", "")
		o.toldNothing()
	})
}

func TestInboundRejected(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		far.expect("100")
		b.invitation().Reject(486, "Busy\r\nEvil: 1", sip.Header{Name: "Retry-After", Value: "9"}, sip.Header{Name: "Bad Name", Value: "x"})
		start := time.Now()
		busy := far.expect("486 BusyEvil: 1")
		if busy.get("Retry-After") != "9" || busy.get("Bad Name") != "" || busy.get("Evil") != "" {
			t.Errorf("busy %+v", busy)
		}
		// Repeated until acknowledged (timer G), then no more.
		for _, want := range []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond} {
			if again := far.expect("486"); again.at.Sub(start).Round(10*time.Millisecond) != want {
				t.Errorf("repeated after %v, want %v", again.at.Sub(start), want)
			}
		}
		d.ackFailure(busy)
		far.silent(40 * time.Second)
	})
}

func TestInboundCancelled(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		far.expect("100")
		o, _ := b.take()
		o.do((*sip.Leg).Ring)
		ringing := far.expect("180")
		d.cancel()
		if ok := far.expect("200"); ok.method() != "CANCEL" || ok.tag("To") != ringing.tag("To") {
			t.Errorf("answer to the CANCEL %+v", ok)
		}
		gone := far.expect("487")
		if gone.tag("To") != ringing.tag("To") {
			t.Error("another tag than before")
		}
		d.ackFailure(gone)
		if ev := told[sip.Ended](o); ev.By != sip.ByCancel || !strings.Contains(ev.ReasonHeader, "elsewhere") {
			t.Errorf("ended %+v", ev)
		}
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) }) // too late: nothing happens
		far.silent(time.Second)
	})
}

func TestCancelBeforeDecision(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		far.expect("100")
		d.cancel()
		far.expect("200")
		d.ackFailure(far.expect("487"))
		o, _ := b.take()
		if ev := told[sip.Ended](o); ev.By != sip.ByCancel {
			t.Errorf("ended %+v", ev)
		}
	})
}

// The network may turn INVITE and CANCEL round.
func TestCancelAheadOfItsInvite(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := &dialogue{p: far, callID: "turned", local: "<sip:a@b>;tag=1", remote: "<sip:+15551000@10.0.0.1>", target: "sip:+15551000@10.0.0.1", cseq: 1}
		invite := d.invite(offerSDP)
		d.cancel()
		time.Sleep(50 * time.Millisecond)
		far.write(invite)
		far.expect("100")
		if ok := far.expect("200"); ok.method() != "CANCEL" {
			t.Errorf("got %+v", ok)
		}
		d.ackFailure(far.expect("487"))
		o, _ := b.take()
		told[sip.Ended](o)
	})
}

func TestCancelForNothing(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := &dialogue{p: far, callID: "nothing", local: "<sip:a@b>;tag=1", remote: "<sip:+15551000@10.0.0.1>", target: "sip:+15551000@10.0.0.1", cseq: 1, branch: "z9hG4bKnone"}
		start := time.Now()
		d.cancel()
		if m := far.expect("481"); m.at.Sub(start) < 100*time.Millisecond {
			t.Errorf("answered after %v", m.at.Sub(start))
		}
	})
}

func TestLateCancelHasNoEffect(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		far.expect("100")
		o, _ := b.take()
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		ok := far.expect("200")
		d.cancel()
		if m := far.expect("200"); m.method() != "CANCEL" {
			t.Errorf("got %+v", m)
		}
		d.answered(ok)
		d.ack()
		told[sip.Confirmed](o)
		d.send("BYE", "")
		far.expect("200")
		told[sip.Ended](o)
	})
}

func TestLostAckRepeatsTheAnswerAndEndsIn32Seconds(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		far.call()
		far.expect("100")
		o, _ := b.take()
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		first := far.expect("200")
		var at []float64
		var bye message
		for {
			m, ok := far.next(40 * time.Second)
			if !ok {
				t.Fatal("no BYE")
			}
			if strings.HasPrefix(m.start, "BYE") {
				bye = m
				break
			}
			at = append(at, m.at.Sub(first.at).Seconds())
		}
		if want := []float64{.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5}; !slices.Equal(at, want) {
			t.Errorf("repeated at %v", at)
		}
		if after := bye.at.Sub(first.at); after != 32*time.Second {
			t.Errorf("BYE after %v", after)
		}
		far.reply(bye, "481 Gone", "")
		if ev := told[sip.Ended](o); ev.By != sip.ByAckTimeout {
			t.Errorf("ended %+v", ev)
		}
	})
}

func TestLostAnswersAreRepeated(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		far.expect("100")
		o, _ := b.take()
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		for range 3 {
			far.expect("200")
		}
		// The INVITE repeated meanwhile is absorbed (RFC 6026).
		far.write(d.invite(offerSDP))
		d.answered(far.expect("200"))
		d.ack()
		told[sip.Confirmed](o)
		far.silent(35 * time.Second)
		b.nobodyInvited()
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		far.reply(far.expect("BYE"), "200 OK", "")
	})
}

func TestHangupBeforeTheAckWaitsForIt(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		far.expect("100")
		o, _ := b.take()
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)); l.Hangup(sip.Reason{Cause: 16, Protocol: "Q.850"}) })
		d.answered(far.expect("200"))
		far.silent(300 * time.Millisecond)
		d.ack()
		bye := far.expect("BYE")
		if bye.get("Reason") != "Q.850;cause=16" {
			t.Errorf("bye %+v", bye)
		}
		far.reply(bye, "200 OK", "")
		o.toldNothing()
	})
}

func TestByeBeforeAckIsAnAck(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		far.expect("100")
		o, _ := b.take()
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		d.answered(far.expect("200"))
		invite := d.cseq
		d.send("BYE", "")
		far.expect("200")
		d.cseq = invite
		d.ack()
		told[sip.Confirmed](o)
		told[sip.Ended](o)
		far.silent(35 * time.Second)
	})
}

func TestLateOfferIsAnsweredInTheAck(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := &dialogue{p: far, callID: "late", local: "<sip:a@b>;tag=1", remote: "<sip:+15551000@10.0.0.1>", target: "sip:+15551000@10.0.0.1", cseq: 1}
		far.write(d.invite(""))
		far.expect("100")
		o, in := b.take()
		if in.Offer != nil {
			t.Errorf("offer %q", in.Offer)
		}
		o.do(func(l *sip.Leg) { l.Answer([]byte(offerSDP)) })
		d.answered(far.expect("200"))
		far.write(d.text("ACK", "z9hG4bKacklate", 1, answerSDP))
		if ev := told[sip.Confirmed](o); string(ev.SDP) != answerSDP {
			t.Errorf("confirmed %+v", ev)
		}
		d.send("BYE", "")
		far.expect("200")
		told[sip.Ended](o)
	})
}

func TestMergedRequest(t *testing.T) {
	story(t, func(b *bench) {
		far, other := b.peer(trunkAt), b.peer(otherAt)
		d := far.call()
		far.expect("100")
		o, _ := b.take()
		// The same call by another branch, as a forking proxy sends it.
		copyOf := *d
		copyOf.p = other
		other.write(copyOf.text("INVITE", "z9hG4bKother", d.cseq, offerSDP, "Contact: <sip:far@"+other.name+">"))
		other.expect("482")
		b.nobodyInvited()
		o.do(func(l *sip.Leg) { l.Reject(480, "") })
		d.ackFailure(far.expect("480"))
		// A copy of the first that was late on the way is no new call.
		time.Sleep(20 * time.Second)
		d.remote = copyOf.remote
		far.write(d.invite(offerSDP))
		far.silent(5 * time.Second)
		b.nobodyInvited()
	})
}

func TestRepeatedInviteRepeatsTheLastResponse(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		far.expect("100")
		again := d.invite(offerSDP)
		far.write(again)
		far.expect("100")
		o, _ := b.take()
		o.do(func(l *sip.Leg) { l.Progress(183, []byte(answerSDP)) })
		if m := far.expect("183"); m.body != answerSDP || m.get("Contact") == "" {
			t.Errorf("progress %+v", m)
		}
		far.write(again)
		far.expect("183")
		b.nobodyInvited()
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{Cause: 19}) })
		m := far.expect("480")
		if m.get("Reason") != "SIP;cause=19" {
			t.Errorf("got %+v", m)
		}
		d.ackFailure(m)
		o.toldNothing()
	})
}

// A proxy that forks one after the other comes again when the first try failed
// (RFC 3261 §8.2.2.2): only a copy of a call that goes on is refused.
func TestNextTryAfterAFailure(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		far.expect("100")
		try := func(branch string) *dialogue {
			again := *d
			again.target, again.branch, again.remote = "sip:+15552222@10.0.0.1", branch, "<sip:+15551000@10.0.0.1>"
			far.write(again.text("INVITE", branch, d.cseq, offerSDP, "Contact: <sip:far@"+far.name+">"))
			return &again
		}
		try("z9hG4bKparallel").ackFailure(far.expect("482"))
		b.invitation().Reject(404, "")
		d.ackFailure(far.expect("404"))
		time.Sleep(8 * time.Second)
		again := try("z9hG4bKserial")
		far.expect("100")
		if in := b.invitation(); in.To.User != "+15552222" {
			t.Errorf("invited for %s", in.To.User)
		} else {
			in.Reject(480, "")
		}
		again.ackFailure(far.expect("480"))
	})
}

// A proxy gives up on an INVITE it has not heard of for three minutes (RFC 3261
// §13.3.1.1).
func TestRingingIsRepeated(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		far.expect("100")
		o, _ := b.take()
		start := time.Now()
		o.do((*sip.Leg).Ring)
		far.expect("180")
		time.Sleep(30 * time.Second)
		o.do(func(l *sip.Leg) { l.Progress(183, []byte(answerSDP)) })
		first := far.expect("183")
		for i := range 3 {
			m, ok := far.next(61 * time.Second)
			if want := time.Duration(i+1)*55*time.Second + 30*time.Second; !ok || m.start != first.start || m.body != answerSDP || m.at.Sub(start).Round(time.Second) != want {
				t.Errorf("after %v %+v, want a 183 after %v", m.at.Sub(start), m, want)
			}
		}
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		d.answered(far.expect("200"))
		d.ack()
		told[sip.Confirmed](o)
		far.silent(3 * time.Minute)
		hangUp(far, o)
	})
}
