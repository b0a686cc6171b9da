package sip_test

import (
	"strings"
	"testing"
	"time"

	"b2bua/sip"
)

const timers = "Supported: timer\r\nAllow: INVITE, ACK, BYE, UPDATE\r\nSession-Expires: "

// timed gives an answered inbound call, and what its 200 said.
func timed(b *bench, extra string) (*peer, *dialogue, *owner, message) {
	b.t.Helper()
	far := b.peer(trunkAt)
	d := far.call(extra)
	far.expect("100")
	o, _ := b.take()
	o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
	ok := far.expect("200")
	d.answered(ok)
	d.ack()
	told[sip.Confirmed](o)
	return far, d, o, ok
}

// dialled gives an answered outbound call; extra goes into the 200.
func dialled(b *bench, extra ...string) (*peer, *owner) {
	b.t.Helper()
	far := b.peer(trunkAt)
	o := b.dial(sip.Dial{})
	inv := far.expect("INVITE")
	far.reply(inv, "200 OK", answerSDP, extra...)
	far.expect("ACK")
	told[sip.Answered](o)
	return far, o
}

// lasted reads the next message and says how long it took.
func (p *peer) lasted(since time.Time, start string) (message, time.Duration) {
	p.b.t.Helper()
	m, _ := p.next(3 * time.Hour)
	if !strings.HasPrefix(strings.TrimPrefix(m.start, "SIP/2.0 "), start) {
		p.b.t.Fatalf("got %q, want %q", m.start, start)
	}
	return m, m.at.Sub(since).Round(time.Second)
}

// What the 200 says about the timer (RFC 4028 §9, table 2).
func TestSessionTimerIsAgreed(t *testing.T) {
	off := func(c *sip.Config) { c.SessionExpires = -1 }
	for _, c := range []struct{ asked, want, require string }{
		{"Supported: timer", "1800;refresher=uas", ""},
		{"Supported: 100rel", "1800;refresher=uas", ""},
		{timers + "600", "600;refresher=uas", ""},
		{timers + "600;refresher=uas", "600;refresher=uas", ""},
		{timers + "600;refresher=uac", "600;refresher=uac", "timer"},
		{timers + "7200;refresher=uac", "1800;refresher=uac", "timer"},
		{timers + "7200;refresher=uac\r\nMin-SE: 3600", "3600;refresher=uac", "timer"},
		{timers + "2000;refresher=uac\r\nMin-SE: 100000", "2000;refresher=uac", "timer"},
		{"Supported: timer\r\nMin-SE: 1000000", "86400;refresher=uas", ""},
		{"k: timer\r\nx: 900 ; refresher = UAC", "900;refresher=uac", "timer"},
		{"Session-Expires: 600;refresher=uac", "600;refresher=uas", ""}, // a proxy asked: the caller cannot
		{"Session-Expires: 30", "90;refresher=uas", ""},
		// As long as can be is no short interval, and what is no number is no interval.
		{timers + "2000000000;refresher=uac", "1800;refresher=uac", "timer"},
		{timers + "99999999999999999999;refresher=uac", "1800;refresher=uac", "timer"},
		{timers + "soon", "1800;refresher=uas", ""},
	} {
		story(t, func(b *bench) {
			far, _, o, ok := timed(b, c.asked)
			if got := ok.get("Session-Expires"); got != c.want || ok.get("Require") != c.require || !strings.Contains(ok.get("Supported"), "timer") {
				t.Errorf("%q: %q, require %q", c.asked, got, ok.get("Require"))
			}
			hangUp(far, o)
		})
	}
	story(t, func(b *bench) {
		far, _, o, ok := timed(b, "Supported: timer")
		if got := ok.get("Session-Expires"); got != "" {
			t.Errorf("%q though nobody asked", got)
		}
		far.silent(2 * time.Hour)
		hangUp(far, o)
	}, off)
}

func TestSessionTimerTooBrief(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call(timers + "89")
		m := far.expect("422")
		if m.get("Min-SE") != "120" {
			t.Errorf("%+v", m)
		}
		d.ackFailure(m)
		b.nobodyInvited()
	}, func(c *sip.Config) { c.MinSE = 2 * time.Minute })
	story(t, func(b *bench) {
		far, d, o, _ := timed(b, timers+"600")
		d.send("UPDATE", "", "Supported: timer", "Session-Expires: 10")
		if m := far.expect("422"); m.get("Min-SE") != "90" {
			t.Errorf("%+v", m)
		}
		d.send("INVITE", offerSDP, "Supported: timer", "Session-Expires: 10", "Contact: <sip:far@10.0.0.2:5060>")
		d.ackFailure(far.expect("422"))
		hangUp(far, o)
	})
}

// We ask for what the far end wants, twice at most (RFC 4028 §7.3).
func TestSessionTimerTooBriefForThem(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		if inv.get("Session-Expires") != "1800" || inv.get("Min-SE") != "90" || !strings.Contains(inv.get("Supported"), "timer") {
			t.Errorf("%+v", inv)
		}
		far.reply(inv, "422 Too Small", "", "Min-SE: 3600")
		far.expect("ACK")
		again := far.expect("INVITE")
		if again.get("Session-Expires") != "3600" || again.get("Min-SE") != "3600" || again.get("Call-ID") != inv.get("Call-ID") || again.branch() == inv.branch() {
			t.Errorf("%+v", again)
		}
		far.reply(again, "422 Too Small", "", "Min-SE: 3601")
		far.expect("ACK")
		far.reply(far.expect("INVITE"), "422 Too Small", "", "Min-SE: 3602")
		far.expect("ACK")
		if ev := told[sip.Rejected](o); ev.Code != 422 {
			t.Errorf("%+v", ev)
		}
	})
}

// At half the time we say that the call is alive: by UPDATE where that is allowed,
// else by an INVITE with the description there is.
func TestSessionIsRefreshedByUs(t *testing.T) {
	story(t, func(b *bench) {
		far, o := dialled(b, "Supported: timer", "Require: timer", "Session-Expires: 600;refresher=uac", "Allow: INVITE, UPDATE")
		at := time.Now()
		for range 5 {
			up, took := far.lasted(at, "UPDATE")
			if took != 300*time.Second || up.body != "" || up.get("Session-Expires") != "600;refresher=uac" {
				t.Errorf("after %v %+v", took, up)
			}
			far.reply(up, "200 OK", "", "Session-Expires: 600;refresher=uac")
			at = time.Now()
		}
		// The newest 2xx decides: now it is for them.
		up, _ := far.lasted(at, "UPDATE")
		far.reply(up, "200 OK", "", "Session-Expires: 900;refresher=uas")
		bye, took := far.lasted(up.at, "BYE")
		if took != 868*time.Second || bye.get("Reason") != `SIP;cause=408;text="Session expired"` {
			t.Errorf("after %v %+v", took, bye)
		}
		far.reply(bye, "200 OK", "")
		if ev := told[sip.Ended](o); ev.By != sip.ByExpiry || ev.Code != 408 || ev.Reason != "Session expired" {
			t.Errorf("%+v", ev)
		}
	})
	story(t, func(b *bench) { // a far end that has never heard of timers
		far, o := dialled(b)
		at := time.Now()
		for i := range 5 {
			inv, took := far.lasted(at, "INVITE")
			if took != 15*time.Minute || inv.body != offerSDP {
				t.Errorf("after %v %+v", took, inv)
			}
			at = inv.at
			switch i {
			case 3: // it may refuse: it is there
				far.reply(inv, "488 No", "")
				far.expect("ACK")
				o.toldNothing()
			case 4: // what is new in the answer is told
				far.reply(inv, "200 OK", "v=2")
				far.expect("ACK")
				told[sip.Reanswered](o)
			default:
				far.reply(inv, "200 OK", answerSDP)
				far.expect("ACK")
				o.toldNothing()
			}
		}
		hangUp(far, o)
	})
}

func TestRefreshIsRefused(t *testing.T) {
	agreed := []string{"Supported: timer", "Session-Expires: 600;refresher=uac", "Allow: INVITE, UPDATE"}
	story(t, func(b *bench) { // no dialog: the call is over
		far, o := dialled(b, agreed...)
		up, _ := far.lasted(time.Now(), "UPDATE")
		far.reply(up, "481 Who", "")
		far.reply(far.expect("BYE"), "481 Who", "")
		if ev := told[sip.Ended](o); ev.By != sip.ByTransport {
			t.Errorf("%+v", ev)
		}
	})
	story(t, func(b *bench) { // it promised what it cannot do
		far, o := dialled(b, agreed...)
		up, _ := far.lasted(time.Now(), "UPDATE")
		far.reply(up, "405 No", "")
		far.reply(far.expect("INVITE"), "491 Request Pending", "")
		far.expect("ACK")
		far.reply(far.expect("INVITE"), "422 Longer", "", "Min-SE: 700")
		far.expect("ACK")
		inv := far.expect("INVITE")
		if inv.get("Session-Expires") != "700;refresher=uac" {
			t.Errorf("%+v", inv)
		}
		far.reply(inv, "200 OK", answerSDP, "Session-Expires: 700;refresher=uac")
		far.expect("ACK")
		if _, took := far.lasted(inv.at, "INVITE"); took != 350*time.Second {
			t.Errorf("after %v", took)
		}
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		far.reply(far.expectAmong("BYE"), "200 OK", "")
	})
	story(t, func(b *bench) { // anything else is tried again until it is too late
		far, o := dialled(b, agreed...)
		start, n := time.Now(), 0
		for {
			m, _ := far.next(time.Hour)
			if strings.HasPrefix(m.start, "BYE") {
				if took := m.at.Sub(start).Round(time.Second); took != 568*time.Second {
					t.Errorf("BYE after %v", took)
				}
				far.reply(m, "200 OK", "")
				break
			}
			far.reply(m, "500 Oh", "")
			n++
		}
		if n < 20 {
			t.Errorf("tried %d times", n)
		}
		if ev := told[sip.Ended](o); ev.By != sip.ByExpiry {
			t.Errorf("%+v", ev)
		}
	})
}

// expectAmong skips what else comes.
func (p *peer) expectAmong(start string) message {
	p.b.t.Helper()
	for range 20 {
		if m, _ := p.next(40 * time.Second); strings.HasPrefix(m.start, start) {
			return m
		}
	}
	p.b.t.Fatalf("no %s", start)
	return message{}
}

// The far end refreshes, and then it does not (RFC 4028 §10).
func TestSessionIsRefreshedByThem(t *testing.T) {
	story(t, func(b *bench) {
		far, d, o, _ := timed(b, timers+"90;refresher=uac")
		for range 4 {
			far.silent(45 * time.Second)
			d.send("UPDATE", "", "Supported: timer", "Session-Expires: 90;refresher=uac")
			if ok := far.expect("200"); ok.get("Session-Expires") != "90;refresher=uac" || ok.get("Require") != "timer" {
				t.Errorf("%+v", ok)
			}
		}
		far.silent(45 * time.Second)
		d.send("INVITE", offerSDP, "Supported: timer", "Session-Expires: 90", "Contact: <sip:far@10.0.0.2:5060>")
		far.expect("100")
		told[sip.Offered](o)
		o.do(func(l *sip.Leg) { l.AcceptOffer(o.offer, []byte(answerSDP)) })
		ok := far.expect("200")
		if ok.get("Session-Expires") != "90;refresher=uac" { // as it was
			t.Errorf("%+v", ok)
		}
		d.ack()
		bye, took := far.lasted(ok.at, "BYE") // a third of 90 s is less than 32 s
		if took != time.Minute {
			t.Errorf("after %v", took)
		}
		far.reply(bye, "200 OK", "")
		if ev := told[sip.Ended](o); ev.By != sip.ByExpiry {
			t.Errorf("%+v", ev)
		}
	})
}

// An offer of ours refreshes, too, and one that waits is not overtaken.
func TestReinviteRefreshesTheSession(t *testing.T) {
	story(t, func(b *bench) {
		far, o := dialled(b, "Supported: timer", "Session-Expires: 600;refresher=uas", "Allow: UPDATE")
		far.silent(500 * time.Second)
		o.do(func(l *sip.Leg) { l.Reinvite([]byte(offerSDP)) })
		inv := far.expect("INVITE")
		if inv.get("Session-Expires") != "600;refresher=uas" {
			t.Errorf("%+v", inv)
		}
		far.reply(inv, "200 OK", answerSDP, "Session-Expires: 600;refresher=uas")
		far.expect("ACK")
		told[sip.Reanswered](o)
		if _, took := far.lasted(inv.at, "BYE"); took != 568*time.Second {
			t.Errorf("after %v", took)
		}
		told[sip.Ended](o)
	})
}
