package sip_test

import (
	"strings"
	"testing"
	"time"

	"b2bua/sip"
	"b2bua/sip/digest"
)

// withPassword is a call to the trunk, which may ask for a password.
func (b *bench) withPassword() *owner {
	return b.dial(sip.Dial{Target: sip.Target{URI: "sip:" + trunkAt.String(), Username: "u", Password: "p"}})
}

// answersTo reads the answer to a challenge in a request, which must hold.
func answersTo(t *testing.T, c *digest.Challenger, m message, header string) digest.Fields {
	t.Helper()
	words := strings.Fields(m.start)
	if _, err := c.Verify(m.get(header), words[0], words[1], func(u string) (string, bool) { return "p", u == "u" }); err != nil {
		t.Errorf("%s of %s: %v", header, words[0], err)
	}
	f, _ := digest.Parse(m.get(header))
	return f
}

// A nonce may be too old by the time its answer comes (RFC 7616 §3.3).
func TestLegAnswersAStaleNonce(t *testing.T) {
	story(t, func(b *bench) {
		far, ask := b.peer(trunkAt), digest.New("carrier", time.Now)
		o := b.withPassword()
		for _, stale := range []bool{false, true} {
			far.reply(far.expect("INVITE"), "401 Unauthorized", "", "WWW-Authenticate: "+ask.Challenge(stale)[0])
			far.expect("ACK")
		}
		inv := far.expect("INVITE")
		answersTo(t, ask, inv, "Authorization")
		far.reply(inv, "200 OK", answerSDP)
		far.expect("ACK")
		told[sip.Answered](o)
		hangUp(far, o)
	})
	story(t, func(b *bench) { // but not without end
		far, ask := b.peer(trunkAt), digest.New("carrier", time.Now)
		o := b.withPassword()
		for range 3 {
			far.reply(far.expect("INVITE"), "401 Unauthorized", "", "WWW-Authenticate: "+ask.Challenge(true)[0])
			far.expect("ACK")
		}
		if ev := told[sip.Rejected](o); ev.Code != 401 {
			t.Errorf("rejected %+v", ev)
		}
	})
}

// An edge and the server behind it both ask, and both get an answer with every
// request from then on (RFC 3261 §22.3), the nonces counted on.
func TestLegAnswersEdgeAndServer(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		edge, core := digest.New("edge", time.Now), digest.New("core", time.Now)
		o := b.withPassword()
		far.reply(far.expect("INVITE"), "407 Proxy Authentication Required", "", "Proxy-Authenticate: "+edge.Challenge(false)[0])
		far.expect("ACK")
		inv := far.expect("INVITE")
		answersTo(t, edge, inv, "Proxy-Authorization")
		far.reply(inv, "401 Unauthorized", "", "WWW-Authenticate: "+core.Challenge(false)[0])
		far.expect("ACK")

		nc := uint32(0)
		both := func(m message) {
			t.Helper()
			nc++
			e, c := answersTo(t, edge, m, "Proxy-Authorization"), answersTo(t, core, m, "Authorization")
			if e.NC != nc+1 || c.NC != nc {
				t.Errorf("nc %d and %d in %s", e.NC, c.NC, m.start)
			}
		}
		inv = far.expect("INVITE")
		both(inv)
		far.reply(inv, "200 OK", answerSDP, "Allow: INVITE, ACK, BYE, UPDATE")
		// RFC 3261 §22.1: an ACK cannot be challenged, so it says what its INVITE said.
		same := func(inv, ack message) {
			t.Helper()
			for _, name := range []string{"Authorization", "Proxy-Authorization"} {
				if got := ack.get(name); got == "" || got != inv.get(name) {
					t.Errorf("%s of the ACK %q", name, got)
				}
			}
		}
		same(inv, far.expect("ACK"))
		far.reply(inv, "200 OK", answerSDP, "Allow: INVITE, ACK, BYE, UPDATE") // our ACK was lost
		same(inv, far.expect("ACK"))
		told[sip.Answered](o)
		o.do(func(l *sip.Leg) { l.Reinvite([]byte(offerSDP)) })
		again := far.expect("INVITE")
		both(again)
		far.reply(again, "200 OK", answerSDP)
		same(again, far.expect("ACK"))
		told[sip.Reanswered](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		bye := far.expect("BYE")
		both(bye)
		far.reply(bye, "200 OK", "")
	})
}

// What answers the trunk's challenge is not for whoever its Contact names.
func TestAttack28ProofsAreForTheTrunkOnly(t *testing.T) {
	story(t, func(b *bench) {
		far, evil := b.peer(trunkAt), b.peer(strangerAt)
		o := b.withPassword()
		far.reply(far.expect("INVITE"), "401 Unauthorized", "", "WWW-Authenticate: "+digest.New("carrier", time.Now).Challenge(false)[0])
		far.expect("ACK")
		far.reply(far.expect("INVITE"), "200 OK", answerSDP, "Contact: <sip:callee@10.0.0.66:5060>")
		if ack := evil.expect("ACK"); ack.get("Authorization") != "" {
			t.Errorf("%+v", ack)
		}
		told[sip.Answered](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		bye := evil.expect("BYE")
		if bye.get("Authorization") != "" {
			t.Errorf("%+v", bye)
		}
		evil.reply(bye, "200 OK", "")
	})
}
