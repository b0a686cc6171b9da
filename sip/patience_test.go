package sip_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"b2bua/sip"

	"github.com/miekg/dns"
)

// choked is a socket that the kernel refuses to send by, now and then.
type choked struct {
	net.PacketConn
	shut *atomic.Bool
}

func (c choked) WriteTo(data []byte, to net.Addr) (int, error) {
	if c.shut.Load() {
		return 0, errors.New("no buffer space available")
	}
	return c.PacketConn.WriteTo(data, to)
}

// A repetition that cannot be sent says nothing about the request, whose first
// copy is under way.
func TestRepetitionThatCannotBeSent(t *testing.T) {
	var shut atomic.Bool
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		shut.Store(true)
		far.silent(2 * time.Second)
		shut.Store(false)
		far.reply(inv, "200 OK", answerSDP)
		far.expect("ACK")
		told[sip.Answered](o)
		hangUp(far, o)
	}, func(c *sip.Config) {
		listen := c.ListenPacket
		c.ListenPacket = func(network, addr string) (net.PacketConn, error) {
			conn, err := listen(network, addr)
			return choked{conn, &shut}, err
		}
	})
}

// Whoever has rung for ten minutes without a word is told to stop, is not
// replaced by another address, and should it answer after all is sent home
// (RFC 3261 §16.8, §13.2.2.4).
func TestRingsForTooLong(t *testing.T) {
	story(t, func(b *bench) {
		far, other := b.peer(trunkAt), b.peer(netip.MustParseAddrPort("10.0.0.4:5060"))
		o := b.dial(sip.Dial{Target: sip.Target{URI: "sip:carrier.example;transport=udp"}})
		inv := far.expect("INVITE")
		far.reply(inv, "180 Ringing", "")
		told[sip.Progressed](o)
		since := time.Now()
		c, took := far.lasted(since, "CANCEL")
		if took != 10*time.Minute || c.branch() != inv.branch() {
			t.Errorf("%v later %+v", took, c)
		}
		if ev := told[sip.Rejected](o); ev.Code != 408 {
			t.Errorf("%+v", ev)
		}
		far.reply(c, "200 OK", "")
		far.reply(inv, "200 OK", answerSDP)
		far.expect("ACK")
		far.reply(far.expect("BYE"), "200 OK", "")
		other.silent(time.Second)
		if len(o.moved) != 1 {
			t.Errorf("moved %+v", o.moved)
		}
	}, func(c *sip.Config) {
		c.Resolve = func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{trunkAt.Addr(), netip.MustParseAddr("10.0.0.4")}, nil
		}
	})
}

// Provisional dialogs are bounded, answers are not: each one of many phones that
// answer is acknowledged (RFC 3261 §13.2.2.4).
func TestEveryAnswerIsAcknowledged(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		to := func(i int) string { return fmt.Sprintf("To: %s;tag=t%d", inv.get("To"), i) }
		for i := range 20 {
			far.reply(inv, "180 Ringing", "", to(i))
		}
		for range 16 {
			told[sip.Progressed](o)
		}
		for i := 39; i >= 0; i-- {
			far.reply(inv, "200 OK", answerSDP, to(i))
			if ack := far.expect("ACK"); ack.tag("To") != fmt.Sprintf("t%d", i) {
				t.Errorf("%+v", ack)
			}
			if i == 39 {
				if ev := told[sip.Answered](o); ev.Dialog != "t39" {
					t.Errorf("%+v", ev)
				}
				continue
			}
			bye := far.expect("BYE")
			if bye.tag("To") != fmt.Sprintf("t%d", i) || len(bye.all("Route")) != 0 {
				t.Errorf("%+v", bye)
			}
			far.reply(bye, "200 OK", "")
		}
		far.reply(inv, "200 OK", answerSDP, to(39)) // the one we talk to
		far.expect("ACK")
		far.silent(time.Second)
		hangUp(far, o)
	})
}

// A PRACK that was under way when the call was rejected is in order (RFC 3262 §3).
func TestPrackAfterRejection(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d, o, m := ringsReliably(b, far, "Supported: 100rel", withMedia)
		o.do(func(l *sip.Leg) { l.Reject(486, "") })
		invite := *d
		invite.cseq, invite.branch, invite.target = 1, "z9hG4bK-"+d.callID+"-1", "sip:+15551000@10.0.0.1"
		invite.ackFailure(far.expect("486"))
		far.silent(20 * time.Second)
		d.prack(m, "")
		if ok := far.expect("200"); ok.method() != "PRACK" {
			t.Errorf("%+v", ok)
		}
		d.prack(m, "") // once is enough
		far.expect("481")
	})
}

// A far end that wants no NOTIFY may refer again, though nobody has said how the
// first time went (RFC 4488).
func TestSilentReferralExpires(t *testing.T) {
	story(t, func(b *bench) {
		far, d, o := talking(b)
		refer := func() {
			d.send("REFER", "", "Refer-To: <sip:ben@10.0.0.1>", "Refer-Sub: false", "Contact: <sip:far@10.0.0.2:5060>")
		}
		refer()
		told[sip.Referred](o)
		o.do((*sip.Leg).AcceptRefer)
		far.expect("200")
		refer()
		far.expect("491")
		far.silent(5 * time.Minute)
		refer()
		told[sip.Referred](o)
		o.do(func(l *sip.Leg) { l.RefuseRefer(603) })
		far.expect("603")
		refer() // that nobody answers
		told[sip.Referred](o)
		far.silent(33 * time.Second)
		refer()
		told[sip.Referred](o)
		o.do(func(l *sip.Leg) { l.RefuseRefer(603) })
		far.expect("603")
		hangUp(far, o)
	})
}

// The lookup of a target that has moved on meanwhile changes nothing, even when
// only the port is another one.
func TestOlderLookupDoesNotOvertake(t *testing.T) {
	var asked atomic.Bool
	story(t, func(b *bench) {
		far, other := b.peer(trunkAt), b.peer(otherAt)
		d := far.call()
		far.expect("100")
		o, _ := b.take()
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		d.answered(far.expect("200"))
		d.ack()
		told[sip.Confirmed](o)
		d.send("UPDATE", "", "Contact: <sip:far@phone.example;transport=udp>") // its lookup takes long
		far.expect("200")
		d.send("UPDATE", "", "Contact: <sip:far@phone.example:5070;transport=udp>")
		far.expect("200")
		time.Sleep(5 * time.Second)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		other.reply(other.expect("BYE sip:far@phone.example:5070"), "200 OK", "")
		if !asked.Load() {
			t.Error("nothing was slow")
		}
	}, func(c *sip.Config) {
		c.Resolve = func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{trunkAt.Addr()}, nil
		}
		c.DNS.Servers = []string{"10.0.0.53:53"}
		c.DNS.Exchange = func(_ context.Context, q *dns.Msg, _, _ string) (*dns.Msg, error) { // for the one without a port
			time.Sleep(3 * time.Second)
			asked.Store(true)
			return new(dns.Msg).SetRcode(q, dns.RcodeNameError), nil
		}
	})
}

// An INVITE says how long it holds (RFC 3261 §13.3.1).
func TestInviteExpires(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call("Expires: 20")
		came := far.expect("100")
		o, _ := b.take()
		o.do((*sip.Leg).Ring)
		far.expect("180")
		m, took := far.lasted(came.at, "487")
		if took != 20*time.Second {
			t.Errorf("after %v", took)
		}
		d.ackFailure(m)
		if ev := told[sip.Ended](o); ev.By != sip.ByCancel || ev.Code != 487 {
			t.Errorf("%+v", ev)
		}
		// What has been answered holds.
		d = far.call("Expires: 20")
		far.expect("100")
		o, _ = b.take()
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		d.answered(far.expect("200"))
		d.ack()
		told[sip.Confirmed](o)
		far.silent(30 * time.Second)
		hangUp(far, o)
		// Nonsense says nothing.
		d = far.call("Expires: soon")
		far.expect("100")
		o, _ = b.take()
		far.silent(30 * time.Second)
		o.do(func(l *sip.Leg) { l.Reject(486, "") })
		d.ackFailure(far.expect("486"))
	})
}

// Replaces may name any of the early dialogs of a leg (RFC 3891 §3); after the
// answer only the one that won.
func TestReplacesNamesOneOfSeveralEarlyDialogs(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		for _, tag := range []string{"a", "b", "c"} {
			far.reply(inv, "180 Ringing", "", "To: "+inv.get("To")+";tag="+tag)
			told[sip.Progressed](o)
		}
		gone := far.dialogOf(inv, "c")
		gone.send("BYE", "")
		far.expect("200")
		known := func() (tags string) {
			for _, tag := range []string{"a", "b", "c", "d", ""} {
				if _, ok := b.ep.Dialog(sip.Replaces{CallID: inv.get("Call-ID"), ToTag: inv.tag("From"), FromTag: tag}); ok {
					tags += tag
				}
			}
			return tags
		}
		if got := known(); got != "ab" {
			t.Errorf("early: %q", got)
		}
		far.reply(inv, "200 OK", answerSDP, "To: "+inv.get("To")+";tag=b")
		far.expect("ACK")
		told[sip.Answered](o)
		if got := known(); got != "b" {
			t.Errorf("answered: %q", got)
		}
		if strings.Contains(b.logs.String(), "panic") {
			t.Error(b.logs)
		}
		hangUp(far, o)
	})
}
