package sip_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
)

// A response whose connection is gone goes out over a new one, to where its
// request came from and at the port that stands in its Via (RFC 3261 §18.2.2).
func TestAnswerAfterTheConnectionWasLost(t *testing.T) {
	streamed(t, func(b *bench) {
		home := b.door(netip.AddrPortFrom(trunkAt.Addr(), 5066))
		c, err := b.net.DialStream(b.t.Context(), trunkAt.Addr(), switchAt)
		if err != nil {
			t.Fatal(err)
		}
		far := b.over(c)
		// The host of the Via is a third one: nothing goes there (attack 23).
		far.write(request("INVITE", "TCP 10.0.0.66:5066;branch=z9hG4bKl1", "lost", 1, "<sip:+15551000@10.0.0.1>", offerSDP,
			"Contact: <sip:far@10.0.0.2:5066;transport=tcp>"))
		far.expect("100")
		o, _ := b.take()
		_ = far.Close()
		time.Sleep(time.Second)
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		again := home.accept()
		ok := again.expect("200")
		if !strings.Contains(ok.get("Via"), "received=10.0.0.2") {
			t.Errorf("via %s", ok.get("Via"))
		}
		again.write(request("ACK", "TCP 10.0.0.2:5066;branch=z9hG4bKl2", "lost", 1, ok.get("To"), ""))
		told[sip.Confirmed](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		again.reply(again.expect("BYE"), "200 OK", "")
	})
}

// A stranger whose connection is gone is not connected to.
func TestNobodyConnectsToAStranger(t *testing.T) {
	streamed(t, func(b *bench) {
		home := b.door(netip.AddrPortFrom(strangerAt.Addr(), 5066))
		c, err := b.net.DialStream(b.t.Context(), strangerAt.Addr(), switchAt)
		if err != nil {
			t.Fatal(err)
		}
		far := b.over(c)
		for _, method := range []string{"INVITE", "OPTIONS", "REGISTER"} {
			far.write(request(method, "TCP 10.0.0.66:5066;branch=z9hG4bKs"+method, "s"+method, 1, "<sip:+15551000@10.0.0.1>", "",
				"Contact: <sip:far@10.0.0.66:5066;transport=tcp>"))
		}
		_ = far.Close()
		came := make(chan struct{})
		go func() {
			defer close(came)
			if _, err := home.l.Accept(); err == nil {
				t.Error("connected to")
			}
		}()
		time.Sleep(time.Minute)
		_ = home.l.Close()
		<-came
	})
}

// The connection over which we are registered stays, kept alive by CRLF, and when
// it is lost we register over another one.
func TestConnectionToARegistrarStays(t *testing.T) {
	streamed(t, func(b *bench) {
		door := b.door(trunkAt)
		target := carrier
		target.URI += ";transport=tcp"
		x := b.ep.Register(sip.Registration{Target: target})
		far := door.accept()
		grant := func(s *stream, req message) {
			s.reply(req, "200 OK", "", "Contact: "+req.get("Contact")+";expires=3600")
		}
		grant(far, far.expect("REGISTER"))
		if !state(x).Registered {
			t.Fatal("not registered")
		}
		pings := 0
		start := time.Now()
		for time.Since(start) < 40*time.Minute {
			_ = far.SetReadDeadline(start.Add(40 * time.Minute))
			four := make([]byte, 4)
			if _, err := far.r.Read(four); err != nil {
				break
			}
			if string(four) == "\r\n\r\n" {
				far.write("\r\n")
				pings++
			}
		}
		if pings < 19 || pings > 21 || time.Since(start) < 40*time.Minute {
			t.Errorf("%d pings in %v", pings, time.Since(start))
		}
		// Calls come in over it.
		far.write(request("INVITE", "TCP 10.0.0.2:5060;branch=z9hG4bKh1", "home", 1, "<sip:alice@10.0.0.1>", offerSDP,
			"Contact: <sip:far@10.0.0.2:5060;transport=tcp>"))
		far.expect("100")
		b.invitation().Reject(486, "")
		busy := far.expect("486")
		far.write(request("ACK", "TCP 10.0.0.2:5060;branch=z9hG4bKh1", "home", 1, busy.get("To"), ""))

		lost := time.Now()
		_ = far.Close()
		far = door.accept()
		req := far.expect("REGISTER")
		if took := time.Since(lost); took < 5*time.Second || took > 10*time.Second {
			t.Errorf("registered again after %v", took)
		}
		grant(far, req)
		time.Sleep(time.Second)
		// One who closes every connection is not asked all the time.
		var gaps []time.Duration
		for range 8 {
			lost = time.Now()
			_ = far.Close()
			far = door.accept()
			grant(far, far.expect("REGISTER"))
			gaps = append(gaps, time.Since(lost))
			time.Sleep(time.Second)
		}
		if last := gaps[len(gaps)-1]; last < 2*time.Minute || gaps[0] > 20*time.Second {
			t.Errorf("registered after %v", gaps)
		}
		done := stop(x)
		req = far.expect("REGISTER")
		far.reply(req, "200 OK", "")
		<-done
	})
}
