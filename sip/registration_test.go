package sip_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/sip"
	"b2bua/sip/digest"
)

// carrier is the account of the stories.
var carrier = sip.Target{URI: "sip:10.0.0.2", Username: "alice", Password: "secret"}

// state is how a registration stands once what is on its way has arrived.
func state(x *sip.Registered) sip.RegistrationState {
	time.Sleep(100 * time.Millisecond)
	synctest.Wait()
	return x.State()
}

// grant answers a REGISTER with what it asks for, for so many seconds.
func (p *peer) grant(req message, seconds int, extra ...string) {
	p.reply(req, "200 OK", "", append([]string{"Contact: <sip:other@192.0.2.9>;expires=7200, " + req.get("Contact") + ";expires=" + strconv.Itoa(seconds)}, extra...)...)
}

func stop(x *sip.Registered) chan struct{} {
	done := make(chan struct{})
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		x.Stop(ctx)
		close(done)
	}()
	return done
}

func TestRegistrationIsKeptUpAndTakenBack(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		ours := digest.New("carrier", time.Now)
		x := b.ep.Register(sip.Registration{Target: carrier})
		req := far.expect("REGISTER sip:10.0.0.2 SIP/2.0")
		if req.get("To") != "<sip:alice@10.0.0.2>" || !strings.HasPrefix(req.get("From"), "<sip:alice@10.0.0.2>;tag=") || req.get("Expires") != "3600" ||
			req.get("Contact") != "<sip:alice@10.0.0.1:5060>" || req.get("CSeq") != "1 REGISTER" || req.get("Authorization") != "" {
			t.Errorf("%+v", req)
		}
		callID := req.get("Call-ID")
		far.reply(req, "401 Unauthorized", "", "WWW-Authenticate: "+ours.Challenge(false)[0])
		req = far.expect("REGISTER")
		far.grant(req, 1800, "Service-Route: <sip:edge.example;lr>, <sip:core.example;lr>")
		if s := state(x); !s.Registered || s.Remote != trunkAt.Addr() || time.Until(s.Expires).Round(time.Second) != 30*time.Minute || len(s.Routes) != 2 {
			t.Fatalf("%+v\n%s", s, b.logs)
		}
		// The refreshes of a day: in time, in order, with the nonce counted on.
		last, nc, seq := time.Now(), 1, 2
		for range 50 {
			m, ok := far.next(time.Hour)
			if !ok {
				t.Fatal("no refresh")
			}
			gap := time.Since(last)
			if gap < 24*time.Minute || gap > 29*time.Minute {
				t.Errorf("refreshed after %v", gap)
			}
			last, nc, seq = time.Now(), nc+1, seq+1
			f, err := digest.Parse(m.get("Authorization"))
			if err != nil || f.NC != uint32(nc) || m.get("Call-ID") != callID || m.get("CSeq") != strconv.Itoa(seq)+" REGISTER" {
				t.Fatalf("nc %d, %v: %+v", nc, err, m)
			}
			far.grant(m, 1800)
		}
		// A nonce that is too old costs a round trip, not the registration.
		m, _ := far.next(time.Hour)
		far.reply(m, "401 Unauthorized", "", "WWW-Authenticate: "+ours.Challenge(true)[0])
		m = far.expect("REGISTER")
		if f, _ := digest.Parse(m.get("Authorization")); f.NC != 1 {
			t.Errorf("nc %d", f.NC)
		}
		far.grant(m, 1800)
		if s := state(x); !s.Registered || s.Failures != 0 {
			t.Errorf("%+v", s)
		}
		done := stop(x)
		m = far.expect("REGISTER")
		if m.get("Expires") != "0" || m.get("Contact") != req.get("Contact") {
			t.Errorf("%+v", m)
		}
		far.reply(m, "200 OK", "")
		<-done
		if state(x).Registered {
			t.Error("still registered")
		}
		far.silent(2 * time.Hour)
	})
}

func TestRegistrationIsRefused(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		x := b.ep.Register(sip.Registration{Target: carrier})
		// A password that is wrong is not tried twice with one request.
		for range 2 {
			far.reply(far.expect("REGISTER"), "407 Proxy Authentication Required", "", "Proxy-Authenticate: "+digest.New("carrier", time.Now).Challenge(false)[0])
		}
		if s := state(x); s.Registered || s.Code != 407 || s.Failures != 1 || time.Until(s.Retry) < 14*time.Second {
			t.Errorf("%+v", s)
		}
		for n := range 10 {
			last := time.Now()
			m, ok := far.next(time.Hour)
			if !ok {
				t.Fatal("given up")
			}
			if gap := time.Since(last); gap > 30*time.Minute || n > 7 && gap < 15*time.Minute {
				t.Errorf("attempt %d after %v", n, gap)
			}
			far.reply(m, "403 Forbidden", "")
		}
		if s := state(x); s.Code != 403 || s.Failures != 11 {
			t.Errorf("%+v", s)
		}
		m, _ := far.next(time.Hour)
		far.grant(m, 3600)
		if s := state(x); !s.Registered || s.Failures != 0 {
			t.Errorf("%+v", s)
		}
		// Endless challenges that call every nonce stale end, too.
		last := 0
		for range 3 {
			m, ok := far.next(time.Hour)
			if !ok {
				break
			}
			last++
			far.reply(m, "401 Unauthorized", "", "WWW-Authenticate: "+digest.New("carrier", time.Now).Challenge(true)[0])
		}
		if last != 3 || state(x).Registered {
			t.Errorf("%d challenges, %+v", last, state(x))
		}
		<-stop(x)
	})
}

func TestRegistrationAnswersNoOtherRealm(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		x := b.ep.Register(sip.Registration{Target: carrier})
		far.reply(far.expect("REGISTER"), "401 Unauthorized", "", "WWW-Authenticate: "+digest.New("carrier", time.Now).Challenge(false)[0])
		far.reply(far.expect("REGISTER"), "401 Unauthorized", "", "WWW-Authenticate: "+digest.New("evil", time.Now).Challenge(true)[0])
		far.silent(10 * time.Second)
		if s := state(x); s.Code != 401 {
			t.Errorf("%+v", s)
		}
		<-stop(x)
	})
}

func TestRegistrationIsTooBrief(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		x := b.ep.Register(sip.Registration{Target: carrier, Expires: time.Minute})
		far.reply(far.expect("REGISTER"), "423 Interval Too Brief", "", "Min-Expires: 1800")
		m := far.expect("REGISTER")
		if m.get("Expires") != "1800" || m.get("CSeq") != "2 REGISTER" {
			t.Errorf("%+v", m)
		}
		far.reply(m, "200 OK", "", "Contact: <sip:alice@203.0.113.7:40000>;expires=1700") // rewritten by NAT
		if s := state(x); !s.Registered || time.Until(s.Expires).Round(time.Second) != 1700*time.Second {
			t.Errorf("%+v", s)
		}
		m, _ = far.next(time.Hour)
		if m.get("Expires") != "1800" {
			t.Errorf("the minimum is forgotten: %+v", m)
		}
		// It never says the same twice.
		far.reply(m, "423 Interval Too Brief", "", "Min-Expires: 3600")
		far.reply(far.expect("REGISTER"), "423 Interval Too Brief", "", "Min-Expires: 7200")
		far.silent(10 * time.Second)
		if s := state(x); s.Code != 423 || s.Registered {
			t.Errorf("%+v", s)
		}
		<-stop(x)
	})
}

func TestRegistrarGoesAwayAndComesBack(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		var heard []bool
		x := b.ep.Register(sip.Registration{Target: carrier, Changed: func(s sip.RegistrationState) { heard = append(heard, s.Registered) }})
		far.grant(far.expect("REGISTER"), 300)
		for until := time.Now().Add(290 * time.Second); time.Now().Before(until); {
			far.next(time.Until(until)) // nobody is there
		}
		if s := state(x); !s.Registered {
			t.Errorf("ended before its time: %+v", s)
		}
		for until := time.Now().Add(20 * time.Minute); time.Now().Before(until); {
			far.next(time.Until(until))
		}
		s := state(x)
		if s.Registered || s.Code != 408 || s.Failures < 3 {
			t.Errorf("%+v", s)
		}
		// Overloaded: it says when to come back.
		m, ok := far.next(6 * time.Minute)
		if !ok {
			t.Fatal("given up")
		}
		for { // repetitions of older ones may be about
			far.reply(m, "503 Service Unavailable", "", "Retry-After: 900")
			if m, ok = far.next(15*time.Minute - time.Second); !ok {
				break
			}
		}
		m = far.expect("REGISTER")
		far.grant(m, 300)
		if s := state(x); !s.Registered || s.Failures != 0 || !s.Retry.IsZero() {
			t.Errorf("%+v", s)
		}
		if n := len(heard); n < 5 || !heard[0] || !heard[n-1] {
			t.Errorf("heard %v", heard)
		}
		// It is gone again when we stop: that takes no longer than allowed.
		start := time.Now()
		<-stop(x)
		if time.Since(start) != 2*time.Second {
			t.Errorf("stopped after %v", time.Since(start))
		}
	})
}

// Stopped while the first REGISTER is under way: what it brings is taken back.
func TestRegistrationStoppedAtOnce(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		x := b.ep.Register(sip.Registration{Target: carrier})
		m := far.expect("REGISTER")
		done := stop(x)
		far.grant(m, 600)
		m = far.expect("REGISTER")
		if m.get("Expires") != "0" {
			t.Errorf("%+v", m)
		}
		far.reply(m, "200 OK", "")
		<-done
		<-stop(x)
		far.silent(time.Hour)

		y := b.ep.Register(sip.Registration{Target: sip.Target{URI: "tel:nowhere"}})
		if s := state(y); s.Code != 503 || s.Registered || s.Retry.IsZero() {
			t.Errorf("%+v", s)
		}
		<-stop(y)
	})
}
