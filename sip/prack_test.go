package sip_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
)

func reliably(n int) string { return fmt.Sprintf("Require: 100rel\r\nRSeq: %d", n) }

// Each reliable response is acknowledged once, in order, by the way that its
// dialog goes (RFC 3262 §4).
func TestPrackFromUs(t *testing.T) {
	story(t, func(b *bench) {
		far, other := b.peer(trunkAt), b.peer(otherAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		if !strings.Contains(inv.get("Supported"), "100rel") {
			t.Errorf("supported %q", inv.get("Supported"))
		}
		ring := func(n int, sdp string) {
			far.reply(inv, "183 Progress", sdp, reliably(n), "Contact: <sip:callee@10.0.0.2:5060>", "Record-Route: <sip:10.0.0.2:5070;lr>")
		}
		ring(700, answerSDP)
		if ev := told[sip.Progressed](o); string(ev.SDP) != answerSDP || ev.Dialog != "callee" {
			t.Errorf("progressed %+v", ev)
		}
		prack := other.expect("PRACK sip:callee@10.0.0.2:5060")
		if prack.get("RAck") != "700 "+inv.get("CSeq") || prack.get("Route") != "<sip:10.0.0.2:5070;lr>" || prack.tag("To") != "callee" {
			t.Errorf("%+v", prack)
		}
		ring(700, answerSDP) // repeated
		ring(702, "")        // ahead of 701
		other.reply(prack, "200 OK", "")
		other.silent(time.Second)
		ring(701, "v=2")
		if ev := told[sip.Progressed](o); ev.SDP != nil { // the answer is known
			t.Errorf("progressed %+v", ev)
		}
		second := other.expect("PRACK")
		if !strings.HasPrefix(second.get("RAck"), "701 ") {
			t.Errorf("%+v", second)
		}
		other.reply(second, "200 OK", "")
		far.reply(inv, "200 OK", "v=3", "Contact: <sip:callee@10.0.0.2:5060>")
		far.expect("ACK")
		if ev := told[sip.Answered](o); string(ev.SDP) != answerSDP || ev.Dialog != "callee" {
			t.Errorf("answered %+v", ev)
		}
		hangUp(far, o)
	})
}

func TestPrackIsChallenged(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{Target: sip.Target{URI: "sip:10.0.0.2", Username: "u", Password: "p"}})
		inv := far.expect("INVITE")
		far.reply(inv, "180 Ringing", "", reliably(1))
		told[sip.Progressed](o)
		far.reply(far.expect("PRACK"), "407 Prove it", "", `Proxy-Authenticate: Digest realm="r", nonce="n"`)
		again := far.expect("PRACK")
		if !strings.Contains(again.get("Proxy-Authorization"), `username="u"`) || again.get("RAck") == "" {
			t.Errorf("%+v", again)
		}
		far.reply(again, "200 OK", "")
		far.reply(inv, "486 Busy", "")
		far.expect("ACK")
		told[sip.Rejected](o)
	})
}

// Two phones ring behind a proxy: each has its own numbers, and the one that
// answers is the one we go on with (RFC 3261 §12.1, §13.2.2.4).
func TestTwoEarlyDialogs(t *testing.T) {
	story(t, func(b *bench) {
		far, second := b.peer(trunkAt), b.peer(otherAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		to := func(tag string) string { return "To: " + inv.get("To") + ";tag=" + tag }
		far.reply(inv, "180 Ringing", "", reliably(5), to("a"))
		if ev := told[sip.Progressed](o); ev.Dialog != "a" {
			t.Errorf("%+v", ev)
		}
		a := far.expect("PRACK")
		far.reply(inv, "183 Progress", answerSDP, reliably(5), to("b"), "Contact: <sip:b@10.0.0.2:5070>")
		if ev := told[sip.Progressed](o); ev.Dialog != "b" || string(ev.SDP) != answerSDP {
			t.Errorf("%+v", ev)
		}
		p := second.expect("PRACK sip:b@")
		if a.tag("To") != "a" || p.tag("To") != "b" || a.get("CSeq") != p.get("CSeq") { // each counts for itself
			t.Errorf("%+v and %+v", a, p)
		}
		far.reply(a, "200 OK", "")
		second.reply(p, "200 OK", "")
		// One of them leaves; the other rings on.
		gone := &dialogue{p: far, callID: inv.get("Call-ID"), local: inv.get("To") + ";tag=a", remote: inv.get("From"),
			target: strings.Trim(inv.get("Contact"), "<>"), cseq: 10}
		gone.send("BYE", "")
		far.expect("200")
		gone.send("UPDATE", "")
		far.expect("481")
		far.reply(inv, "200 OK", "", to("b"), "Contact: <sip:b@10.0.0.2:5070>")
		if ack := second.expect("ACK"); ack.tag("To") != "b" {
			t.Errorf("%+v", ack)
		}
		if ev := told[sip.Answered](o); ev.Dialog != "b" || string(ev.SDP) != answerSDP {
			t.Errorf("answered %+v", ev)
		}
		hangUp(second, o)
	})
}

// The number of phones behind one INVITE is bounded.
func TestTooManyForks(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		for i := range 40 {
			far.reply(inv, "180 Ringing", "", fmt.Sprintf("To: %s;tag=t%d", inv.get("To"), i))
		}
		for range 16 {
			told[sip.Progressed](o)
		}
		o.toldNothing()
		far.reply(inv, "486 Busy", "")
		far.expect("ACK")
		told[sip.Rejected](o)
	})
}

// However many phones answer one INVITE, one of them talks and each of the others
// gets its ACK and its BYE (RFC 3261 §13.2.2.4), when it says 200 again, too.
func TestTooManyForksAnswer(t *testing.T) {
	const phones = 40
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		answer := func(i int) {
			far.reply(inv, "200 OK", answerSDP, fmt.Sprintf("To: %s;tag=t%d", inv.get("To"), i))
		}
		answer(0)
		far.expect("ACK")
		told[sip.Answered](o)
		for i := 1; i < phones; i++ {
			answer(i)
			acks, byes := 0, 0
			for acks+byes < 2 {
				m, ok := far.next(time.Second)
				if !ok || m.tag("To") != fmt.Sprintf("t%d", i) {
					t.Fatalf("phone %d: got %v %q", i, ok, m.start)
				}
				switch {
				case strings.HasPrefix(m.start, "ACK "):
					acks++
				case strings.HasPrefix(m.start, "BYE ") && strings.Contains(m.get("Reason"), "cause=200"):
					byes++
					far.reply(m, "200 OK", "")
				default:
					t.Fatalf("phone %d: got %+v", i, m)
				}
			}
			if acks != 1 || byes != 1 {
				t.Errorf("phone %d: %d ACKs and %d BYEs", i, acks, byes)
			}
		}
		for _, i := range []int{0, 7} { // the ACK was lost
			answer(i)
			if ack := far.expect("ACK"); ack.tag("To") != fmt.Sprintf("t%d", i) {
				t.Errorf("%+v", ack)
			}
		}
		o.toldNothing()
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		bye := far.expect("BYE")
		if bye.tag("To") != "t0" {
			t.Errorf("%+v", bye)
		}
		far.reply(bye, "200 OK", "")
		far.silent(40 * time.Second)
	})
}

// A request may overtake the response that makes its dialog.
func TestRequestAheadOfItsDialog(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		d := &dialogue{p: far, callID: inv.get("Call-ID"), local: inv.get("To") + ";tag=callee", remote: inv.get("From"),
			target: strings.Trim(inv.get("Contact"), "<>"), cseq: 10}
		d.send("UPDATE", "", "Contact: <sip:ahead@10.0.0.2:5060>")
		far.expect("200")
		d.send("UPDATE", offerSDP) // our own offer has no answer yet (RFC 3311 §5.2)
		far.expect("491")
		d.send("INVITE", offerSDP, "Contact: <sip:ahead@10.0.0.2:5060>")
		d.ackFailure(far.expect("491"))
		far.reply(inv, "180 Ringing", "", "Contact: <sip:callee@10.0.0.2:5060>")
		told[sip.Progressed](o)
		far.reply(inv, "200 OK", answerSDP)
		far.expect("ACK")
		told[sip.Answered](o)
		hangUp(far, o)
	})
	// So may a BYE; the answer it has overtaken is acknowledged and that is it.
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		far.reply(inv, "180 Ringing", "", "To: "+inv.get("To")+";tag=other")
		told[sip.Progressed](o)
		d := &dialogue{p: far, callID: inv.get("Call-ID"), local: inv.get("To") + ";tag=callee", remote: inv.get("From"),
			target: strings.Trim(inv.get("Contact"), "<>"), cseq: 10}
		d.send("BYE", "")
		far.expect("200")
		o.toldNothing()
		far.reply(inv, "200 OK", answerSDP)
		far.expect("ACK")
		if ev := told[sip.Ended](o); ev.By != sip.ByBye {
			t.Errorf("%+v", ev)
		}
	})
}
