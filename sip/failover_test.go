package sip_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"b2bua/sip"
)

// several makes sip:many.example three hosts.
func several(c *sip.Config) {
	c.Resolve = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{trunkAt.Addr(), secondAt.Addr(), thirdAt.Addr()}, nil
	}
}

var (
	thirdAt  = netip.MustParseAddrPort("10.0.0.4:5060")
	secondAt = netip.MustParseAddrPort("10.0.0.5:5060")
	many     = sip.Dial{Target: sip.Target{URI: "sip:many.example", Username: "user", Password: "secret"}}
)

// whereTo lists the addresses that the owner was told, with the reasons.
func (o *owner) whereTo() []sip.Retargeted {
	var out []sip.Retargeted
	o.do(func(*sip.Leg) { out = append(out, o.moved...) })
	return out
}

// repeats reads, and counts, what a peer has been sent meanwhile.
func (p *peer) repeats() int {
	for n := 0; ; n++ {
		if _, more := p.next(time.Millisecond); !more {
			return n
		}
	}
}

func TestNextAddressAfterSilence(t *testing.T) {
	story(t, func(b *bench) {
		first, second := b.peer(trunkAt), b.peer(secondAt)
		start := time.Now()
		o := b.dial(many)
		inv := first.expect("INVITE")
		again := second.expect("INVITE")
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("after %v", took)
		}
		if again.branch() == inv.branch() || again.get("Call-ID") != inv.get("Call-ID") || again.tag("From") != inv.tag("From") || again.get("CSeq") == inv.get("CSeq") {
			t.Errorf("first\n%+v\nthen\n%+v", inv, again)
		}
		second.reply(again, "100 Trying", "") // alive: it may ring as long as it likes
		if n := first.repeats(); n != 3 {     // 0.5, 1.5 and 3.5 s
			t.Errorf("repeated %d times", n)
		}
		time.Sleep(10 * time.Second)
		// The first is not asked again, and what it says now comes too late.
		first.reply(inv, "180 Ringing", "")
		cancel := first.expect("CANCEL")
		if cancel.branch() != inv.branch() {
			t.Error("CANCEL of something else")
		}
		first.reply(cancel, "200 OK", "")
		first.reply(inv, "180 Ringing", "")
		first.reply(inv, "487 Request Terminated", "")
		first.expect("ACK")
		second.reply(again, "200 OK", answerSDP)
		second.expect("ACK")
		told[sip.Answered](o)
		if w := o.whereTo(); len(w) != 2 || w[0].Addr != trunkAt || w[0].Because != "" || w[1].Addr != secondAt || w[1].Because != "no response" {
			t.Errorf("told %+v", w)
		}
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		second.reply(second.expect("BYE"), "200 OK", "")
		first.silent(time.Second)

		// The one that was silent is tried last for a while.
		o = b.dial(many)
		second.reply(second.expect("INVITE"), "486 Busy", "")
		second.expect("ACK")
		told[sip.Rejected](o)
	}, several)
}

func TestLateAnswerOfAnAbandonedAddress(t *testing.T) {
	for _, when := range []string{"before", "after"} {
		story(t, func(b *bench) {
			first, second := b.peer(trunkAt), b.peer(secondAt)
			o := b.dial(many)
			inv := first.expect("INVITE")
			again := second.expect("INVITE")
			first.repeats()
			late := func() {
				first.reply(inv, "200 OK", answerSDP, "To: "+inv.get("To")+";tag=late", "Contact: <sip:late@"+trunkAt.String()+">")
				ack := first.expect("ACK sip:late@")
				bye := first.expect("BYE sip:late@")
				if ack.get("CSeq") != "1 ACK" || bye.get("Call-ID") != inv.get("Call-ID") {
					t.Errorf("%s: %+v %+v", when, ack, bye)
				}
				first.reply(bye, "200 OK", "")
				first.reply(inv, "200 OK", answerSDP, "To: "+inv.get("To")+";tag=late", "Contact: <sip:late@"+trunkAt.String()+">")
				first.expect("ACK sip:late@")
			}
			if when == "before" {
				late()
			}
			second.reply(again, "200 OK", answerSDP)
			second.expect("ACK")
			told[sip.Answered](o)
			if when == "after" {
				late()
			}
			o.toldNothing()
			o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
			second.reply(second.expect("BYE"), "200 OK", "")
		}, several)
	}
}

func TestNextAddressAfter503(t *testing.T) {
	story(t, func(b *bench) {
		first, second, third := b.peer(trunkAt), b.peer(secondAt), b.peer(thirdAt)
		start := time.Now()
		o := b.dial(many)
		inv := first.expect("INVITE")
		first.reply(inv, "100 Trying", "")
		first.reply(inv, "503 Busy Hour", "", "Retry-After: 300")
		first.expect("ACK")
		inv = second.expect("INVITE")
		// Each may ask for the password: all are the target it was configured for.
		second.reply(inv, "407 Prove", "", `Proxy-Authenticate: Digest realm="r", nonce="n"`)
		second.expect("ACK")
		if inv = second.expect("INVITE"); inv.get("Proxy-Authorization") == "" {
			t.Error("the challenge is not answered")
		}
		second.reply(inv, "503 Later", "")
		second.expect("ACK")
		inv = third.expect("INVITE")
		if inv.get("Proxy-Authorization") != "" {
			t.Error("an answer for somebody else is shown around")
		}
		third.reply(inv, "503 Also", "", "Retry-After: 17")
		third.expect("ACK")
		if ev := told[sip.Rejected](o); ev.Code != 503 || ev.Reason != "Also" || time.Since(start) > 200*time.Millisecond {
			t.Errorf("%+v after %v", ev, time.Since(start))
		}
		// Other refusals are the callee's own and go no further.
		time.Sleep(45 * time.Second)
		o = b.dial(many)
		inv = second.expect("INVITE") // the first asked for five minutes
		second.reply(inv, "180 Ringing", "")
		told[sip.Progressed](o)
		second.reply(inv, "503 After all", "")
		second.expect("ACK")
		told[sip.Rejected](o) // somebody was rung: not again
		o = b.dial(many)
		inv = third.expect("INVITE")
		third.reply(inv, "500 No", "")
		third.expect("ACK")
		told[sip.Rejected](o)
		first.silent(time.Second)
	}, several)
}

func TestHangupBetweenAddresses(t *testing.T) {
	story(t, func(b *bench) {
		first, second, third := b.peer(trunkAt), b.peer(secondAt), b.peer(thirdAt)
		o := b.dial(many)
		first.expect("INVITE")
		inv := second.expect("INVITE")
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		time.Sleep(5 * time.Second)
		second.repeats()
		second.reply(inv, "180 Ringing", "") // heard at last
		cancel := second.expect("CANCEL")
		second.reply(cancel, "200 OK", "")
		second.reply(inv, "487 Request Terminated", "")
		second.expect("ACK")
		third.silent(time.Second)
		o.toldNothing()
	}, several)
}
