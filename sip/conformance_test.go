package sip_test

import (
	"strings"
	"testing"

	"b2bua/sip"
)

// Every response has the Via lines, From, Call-ID and CSeq of its request, in
// order, and one To tag for the whole transaction (RFC 3261 §8.2.6).
func TestResponsesCopyTheRequest(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call("Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKfirst, SIP/2.0/TCP host.example;branch=z9hG4bKsecond", "Timestamp: 54")
		o, _ := b.take()
		trying := far.expect("100")
		o.do((*sip.Leg).Ring)
		ringing := far.expect("180")
		again := d.text("INVITE", d.branch, d.cseq, offerSDP, "Contact: <sip:far@"+far.name+">")
		far.write(again)
		repeated := far.expect("180")
		o.do(func(l *sip.Leg) { l.Reject(486, "") })
		busy := far.expect("486")
		for _, m := range []message{trying, ringing, repeated, busy} {
			vias := strings.Join(m.all("Via"), ", ")
			top, rest, _ := strings.Cut(vias, ", ")
			if !strings.Contains(top, d.branch) || rest != "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKfirst, SIP/2.0/TCP host.example;branch=z9hG4bKsecond" {
				t.Errorf("%s: Via %s", m.start, vias)
			}
			if m.get("From") != d.local || m.get("Call-ID") != d.callID || m.get("CSeq") != "1 INVITE" || !strings.HasPrefix(m.get("To"), d.remote) {
				t.Errorf("%+v", m)
			}
		}
		if tag := ringing.tag("To"); tag == "" || repeated.tag("To") != tag || busy.tag("To") != tag {
			t.Errorf("tags %q, %q, %q", tag, repeated.tag("To"), busy.tag("To"))
		}
		d.ackFailure(busy)
	})
}

// Every request has a branch of its own, but the ACK of a failure, which is part
// of the INVITE's transaction; numbers within a dialog rise by one (RFC 3261
// §8.1.1.7, §12.2.1.1, §17.1.1.3).
func TestBranchesAndNumbers(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		far.reply(inv, "486 Busy Here", "")
		if ack := far.expect("ACK"); ack.branch() != inv.branch() || ack.get("CSeq") != "1 ACK" || len(ack.all("Via")) != 1 {
			t.Errorf("%+v", ack)
		}
		told[sip.Rejected](o)

		o = b.dial(sip.Dial{})
		inv = far.expect("INVITE")
		seen := map[string]bool{inv.branch(): true}
		fresh := func(m message, cseq string) {
			if !strings.HasPrefix(m.branch(), "z9hG4bK") || seen[m.branch()] || m.get("CSeq") != cseq {
				t.Errorf("branches %v, %+v", seen, m)
			}
			seen[m.branch()] = true
		}
		far.reply(inv, "200 OK", answerSDP)
		told[sip.Answered](o)
		fresh(far.expect("ACK"), "1 ACK")
		o.do(func(l *sip.Leg) { l.Reinvite([]byte(offerSDP)) })
		again := far.expect("INVITE")
		fresh(again, "2 INVITE")
		far.reply(again, "200 OK", answerSDP)
		fresh(far.expect("ACK"), "2 ACK")
		told[sip.Reanswered](o)
		o.do(func(l *sip.Leg) { l.Info("application/dtmf-relay", []byte("Signal=1\r\n")) })
		info := far.expect("INFO")
		fresh(info, "3 INFO")
		far.reply(info, "200 OK", "")
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		bye := far.expect("BYE")
		fresh(bye, "4 BYE")
		far.reply(bye, "200 OK", "")
	})
}
