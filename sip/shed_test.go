package sip_test

import (
	"testing"
	"time"

	"b2bua/sip"
)

// Who calls while there is too much to do is turned away and leaves
// nothing behind; trunks have the last tenth for themselves, and strangers get
// not even a challenge.
func TestAttack31Shedding(t *testing.T) {
	story(t, func(b *bench) {
		phone := registered(b)
		d := phone.call()
		challenge := phone.expect("401") // in time
		d.ackFailure(challenge)
		far := b.peer(trunkAt)
		var in []*sip.Invitation
		for range 9 {
			far.call()
			far.expect("100")
			in = append(in, b.invitation())
		}
		d.remote, d.cseq = "<sip:+15551000@10.0.0.1>", 2
		phone.write(d.invite(offerSDP, credentials(t, challenge, "INVITE", d.target, "secret")))
		if m := phone.expect("503"); m.get("Retry-After") != "5" {
			t.Errorf("a device gets %+v", m)
		}
		stranger := b.peer(strangerAt)
		stranger.call()
		stranger.silent(100 * time.Millisecond)
		far.call()
		far.expect("100")
		in = append(in, b.invitation())
		busy := far.call()
		m := far.expect("503")
		if m.get("Retry-After") != "5" {
			t.Errorf("a trunk gets %+v", m)
		}
		busy.ackFailure(m)
		if s := b.ep.Stats(); s.Pending != 10 || s.Shed != 2 || s.ServerTransactions != 11 {
			t.Errorf("%+v", s)
		}
		for _, i := range in {
			i.Reject(486, "")
			far.expect("486")
		}
		if s := b.ep.Stats(); s.Pending != 0 {
			t.Errorf("%+v", s)
		}
		far.call()
		b.invitation().Reject(486, "") // there is room again
	}, func(c *sip.Config) { c.MaxPending = 10 })
}

// So many calls a second, and no more.
func TestAttack31CallsASecond(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		take := func(n int) (taken int) {
			for range n {
				d := far.call()
				m, _ := far.next(time.Second)
				if m.start == "SIP/2.0 100 Trying" {
					taken++
					b.invitation().Reject(480, "")
					m = far.expect("480")
				}
				d.ackFailure(m)
			}
			return taken
		}
		if n := take(30); n < 20 || n > 21 { // the calls take a moment
			t.Errorf("%d calls at once", n)
		}
		time.Sleep(500 * time.Millisecond)
		if n := take(30); n < 10 || n > 11 {
			t.Errorf("%d calls after half a second", n)
		}
	}, func(c *sip.Config) { c.MaxCPS = 20 })
}
