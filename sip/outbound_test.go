package sip_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
	"b2bua/sip/digest"
)

func TestOutboundAnswered(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{From: sip.Party{User: "+15550001", Display: `Al "x"`}, Headers: []sip.Header{{Name: "X-Tag", Value: "a\r\nEvil: 1"}, {Name: "Route", Value: "<sip:evil>"}}, MaxForwards: 42})
		inv := far.expect("INVITE sip:+15551234@10.0.0.2:5060 SIP/2.0")
		if inv.get("Max-Forwards") != "42" || inv.get("X-Tag") != "aEvil: 1" || inv.get("Evil") != "" || inv.get("Route") != "" || inv.body != offerSDP ||
			!strings.HasPrefix(inv.get("From"), `"Al \"x\"" <sip:+15550001@10.0.0.1>;tag=`) || inv.get("To") != "<sip:+15551234@10.0.0.2>" ||
			inv.get("Contact") != "<sip:+15550001@10.0.0.1:5060>" || inv.get("User-Agent") != "switch" {
			t.Errorf("invite %+v", inv)
		}
		far.reply(inv, "100 Trying", "")
		far.reply(inv, "180 Ringing", "")
		if ev := told[sip.Progressed](o); ev.Code != 180 || ev.SDP != nil {
			t.Errorf("progressed %+v", ev)
		}
		o.do(func(*sip.Leg) {
			if o.reached != 1 {
				t.Errorf("told %d times that the far end has the INVITE", o.reached)
			}
		})
		far.reply(inv, "183 Session Progress", answerSDP)
		if ev := told[sip.Progressed](o); ev.Code != 183 || string(ev.SDP) != answerSDP {
			t.Errorf("progressed %+v", ev)
		}
		far.reply(inv, "200 OK", answerSDP, "Record-Route: <sip:10.0.0.2:5070;lr>")
		other := b.peer(otherAt)
		ack := other.expect("ACK sip:callee@10.0.0.2:5060")
		if ack.branch() == inv.branch() || ack.get("CSeq") != "1 ACK" || ack.get("Route") != "<sip:10.0.0.2:5070;lr>" || ack.tag("To") != "callee" {
			t.Errorf("ack %+v", ack)
		}
		if ev := told[sip.Answered](o); string(ev.SDP) != answerSDP {
			t.Errorf("answered %+v", ev)
		}
		// A repeated 200 is acknowledged again, with the same ACK.
		far.reply(inv, "200 OK", answerSDP, "Record-Route: <sip:10.0.0.2:5070;lr>")
		if again := other.expect("ACK"); again.branch() != ack.branch() {
			t.Error("another ACK than before")
		}
		bye := strings.Join([]string{"BYE " + strings.Trim(inv.get("Contact"), "<>") + " SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKbye;rport",
			"From: " + ack.get("To"), "To: " + ack.get("From"), "Call-ID: " + inv.get("Call-ID"), "CSeq: 7 BYE", "Content-Length: 0", "", ""}, "\r\n")
		far.write(bye)
		far.expect("200")
		if ev := told[sip.Ended](o); ev.By != sip.ByBye {
			t.Errorf("ended %+v", ev)
		}
	})
}

func TestOutboundRefused(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		far.reply(inv, "503 Later", "", "Retry-After: 17 (overload)", `Reason: Q.850;cause=42`)
		ack := far.expect("ACK")
		if ack.branch() != inv.branch() || ack.tag("To") != "callee" {
			t.Errorf("ack %+v", ack)
		}
		if ev := told[sip.Rejected](o); ev.Code != 503 || ev.Reason != "Later" || ev.RetryAfter != 17*time.Second || ev.Text != "Q.850;cause=42" {
			t.Errorf("rejected %+v", ev)
		}
		far.reply(inv, "503 Later", "")
		far.expect("ACK")
	})
}

func TestOutboundRedirected(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		far.reply(inv, "302 Moved", "", "Contact: <sip:a@10.0.0.9>, <sip:b@10.0.0.9>")
		far.expect("ACK")
		if ev := told[sip.Rejected](o); len(ev.Contacts) != 2 || ev.Contacts[1] != "sip:b@10.0.0.9" {
			t.Errorf("rejected %+v", ev)
		}
	})
}

func TestOutboundUnanswered(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		start := time.Now()
		o := b.dial(sip.Dial{})
		for range 7 {
			far.expect("INVITE") // 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s
		}
		if ev := told[sip.Rejected](o); ev.Code != 408 || time.Since(start) != 32*time.Second {
			t.Errorf("%+v after %v", ev, time.Since(start))
		}
	})
}

func TestOutboundCancelledWhileRinging(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		far.reply(inv, "180 Ringing", "")
		told[sip.Progressed](o)
		o.do(func(l *sip.Leg) {
			l.Hangup(sip.Reason{Protocol: "SIP", Cause: 200, Text: "Call completed elsewhere"})
			l.Hangup(sip.Reason{})
		})
		c := far.expect("CANCEL " + strings.Fields(inv.start)[1])
		if c.branch() != inv.branch() || c.get("CSeq") != "1 CANCEL" || c.get("To") != inv.get("To") || !strings.Contains(c.get("Reason"), "elsewhere") {
			t.Errorf("cancel %+v", c)
		}
		far.reply(c, "200 OK", "")
		far.reply(inv, "487 Request Terminated", "")
		far.expect("ACK")
		o.toldNothing()
	})
}

// RFC 3261 §9.1: no CANCEL before a provisional response.
func TestOutboundCancelWaitsForAProvisionalResponse(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		far.silent(400 * time.Millisecond)
		far.reply(inv, "100 Trying", "")
		far.reply(far.expect("CANCEL"), "200 OK", "")
		far.reply(inv, "487 Request Terminated", "")
		far.expect("ACK")
	})
}

func TestOutboundCancelIsIgnored(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		far.reply(inv, "180 Ringing", "")
		told[sip.Progressed](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		far.reply(far.expect("CANCEL"), "200 OK", "")
		far.silent(40 * time.Second) // and then it is given up
	})
}

func TestAnswerCrossesCancel(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		far.reply(inv, "180 Ringing", "")
		told[sip.Progressed](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{Cause: 480}) })
		far.reply(inv, "200 OK", answerSDP)
		far.reply(far.expect("CANCEL"), "200 OK", "")
		far.expect("ACK")
		bye := far.expect("BYE")
		if bye.tag("To") != "callee" || bye.get("Reason") != "SIP;cause=480" {
			t.Errorf("bye %+v", bye)
		}
		far.reply(bye, "200 OK", "")
		o.toldNothing()
	})
}

func TestForkedAnswers(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		to := inv.get("To")
		far.reply(inv, "180 Ringing", "", "To: "+to+";tag=one")
		far.reply(inv, "180 Ringing", "", "To: "+to+";tag=two")
		told[sip.Progressed](o)
		told[sip.Progressed](o)
		far.reply(inv, "200 OK", answerSDP, "To: "+to+";tag=two")
		if ack := far.expect("ACK"); ack.tag("To") != "two" {
			t.Errorf("ack %+v", ack)
		}
		far.reply(inv, "200 OK", answerSDP, "To: "+to+";tag=one")
		if ack := far.expect("ACK"); ack.tag("To") != "one" {
			t.Errorf("ack %+v", ack)
		}
		bye := far.expect("BYE")
		if bye.tag("To") != "one" || !strings.Contains(bye.get("Reason"), "elsewhere") {
			t.Errorf("bye %+v", bye)
		}
		far.reply(bye, "200 OK", "")
		far.reply(inv, "200 OK", answerSDP, "To: "+to+";tag=one")
		far.expect("ACK")
		told[sip.Answered](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		if bye = far.expect("BYE"); bye.tag("To") != "two" {
			t.Errorf("bye %+v", bye)
		}
		far.reply(bye, "200 OK", "")
	})
}

func TestOutboundDigest(t *testing.T) {
	for _, code := range []string{"401 Unauthorized", "407 Proxy Authentication Required"} {
		story(t, func(b *bench) {
			far := b.peer(trunkAt)
			ask := digest.New("carrier", time.Now)
			header, answer := "WWW-Authenticate: ", "Authorization"
			if strings.HasPrefix(code, "407") {
				header, answer = "Proxy-Authenticate: ", "Proxy-Authorization"
			}
			o := b.dial(sip.Dial{Target: sip.Target{URI: "sip:" + trunkAt.String(), Username: "u", Password: "p"}})
			lookup := func(u string) (string, bool) { return "p", u == "u" }
			challenge := func(m message) {
				var hs []string
				for _, c := range ask.Challenge(false) {
					hs = append(hs, header+c)
				}
				far.reply(m, code, "", hs...)
			}
			inv := far.expect("INVITE")
			challenge(inv)
			far.expect("ACK")
			inv2 := far.expect("INVITE")
			uri := strings.Fields(inv2.start)[1]
			if _, err := ask.Verify(inv2.get(answer), "INVITE", uri, lookup); err != nil {
				t.Errorf("credentials: %v", err)
			}
			if inv2.get("Call-ID") != inv.get("Call-ID") || inv2.tag("From") != inv.tag("From") || inv2.get("CSeq") != "2 INVITE" || inv2.branch() == inv.branch() {
				t.Errorf("second invite %+v", inv2)
			}
			far.reply(inv2, "200 OK", answerSDP)
			far.expect("ACK")
			told[sip.Answered](o)
			o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
			challenge(far.expect("BYE"))
			bye := far.expect("BYE")
			if _, err := ask.Verify(bye.get(answer), "BYE", strings.Fields(bye.start)[1], lookup); err != nil {
				t.Errorf("credentials: %v", err)
			}
			far.reply(bye, "200 OK", "")
		})
	}
}

// A dialog may be sent to anybody by Contact; our password is for the trunk only,
// and only for the realm that it named.
func TestAttack28PasswordIsForTheTrunkOnly(t *testing.T) {
	story(t, func(b *bench) {
		far, evil := b.peer(trunkAt), b.peer(strangerAt)
		o := b.dial(sip.Dial{Target: sip.Target{URI: "sip:" + trunkAt.String(), Username: "u", Password: "p"}})
		far.reply(far.expect("INVITE"), "200 OK", answerSDP, "Contact: <sip:callee@10.0.0.66:5060>")
		evil.expect("ACK")
		told[sip.Answered](o)
		o.do(func(l *sip.Leg) { l.Reinvite([]byte(offerSDP)) })
		evil.reply(evil.expect("INVITE"), "401 Unauthorized", "", "WWW-Authenticate: "+digest.New("evil", time.Now).Challenge(false)[0])
		evil.expect("ACK")
		told[sip.ReofferRefused](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		evil.reply(evil.expect("BYE"), "401 Unauthorized", "", "WWW-Authenticate: "+digest.New("evil", time.Now).Challenge(false)[0])
		evil.silent(time.Second)
	})
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{Target: sip.Target{URI: "sip:" + trunkAt.String(), Username: "u", Password: "p"}})
		far.reply(far.expect("INVITE"), "401 Unauthorized", "", "WWW-Authenticate: "+digest.New("carrier", time.Now).Challenge(false)[0])
		far.expect("ACK")
		far.reply(far.expect("INVITE"), "200 OK", answerSDP)
		far.expect("ACK")
		told[sip.Answered](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		far.reply(far.expect("BYE"), "401 Unauthorized", "", "WWW-Authenticate: "+digest.New("behind", time.Now).Challenge(false)[0])
		far.silent(time.Second)
	})
}

// CVE-2020-28242: a far end that challenges for ever.
func TestAttack29ChallengesForEver(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		ask := digest.New("carrier", time.Now)
		o := b.dial(sip.Dial{Target: sip.Target{URI: "sip:" + trunkAt.String(), Username: "u", Password: "p"}})
		for range 2 {
			far.reply(far.expect("INVITE"), "407 Again", "", "Proxy-Authenticate: "+ask.Challenge(false)[0])
			far.expect("ACK")
		}
		if ev := told[sip.Rejected](o); ev.Code != 407 {
			t.Errorf("rejected %+v", ev)
		}
	})
}

func TestStrictRoute(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{})
		inv := far.expect("INVITE")
		far.reply(inv, "200 OK", answerSDP, "Record-Route: <sip:p2@10.0.0.9;lr>", "Record-Route: <sip:p1@10.0.0.2:5060>")
		ack := far.expect("ACK sip:p1@10.0.0.2:5060 ")
		if got := ack.all("Route"); len(got) != 2 || got[0] != "<sip:p2@10.0.0.9;lr>" || got[1] != "<sip:callee@10.0.0.2:5060>" {
			t.Errorf("route %q", got)
		}
		told[sip.Answered](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		far.reply(far.expect("BYE sip:p1@10.0.0.2:5060 "), "200 OK", "")
	})
}

func TestDialNonsense(t *testing.T) {
	story(t, func(b *bench) {
		for _, uri := range []string{"nothing", "tel:+1", "sip:a b", "sip:x@h\r\nEvil: 1", "sip:10.0.0.2;transport=sctp", "http://x", "sip:", "sip:10.0.0.2:99999", "<sip:10.0.0.2>"} {
			o := b.dial(sip.Dial{Target: sip.Target{URI: uri}})
			if ev := told[sip.Rejected](o); ev.Code != 503 {
				t.Errorf("%q: %+v", uri, ev)
			}
		}
	})
}

func TestDialByName(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		o := b.dial(sip.Dial{Target: sip.Target{URI: "sip:sip.carrier.example;transport=udp"}})
		start := time.Now()
		inv := far.expect("INVITE sip:+15551234@sip.carrier.example;transport=udp")
		if time.Since(start) < 3*time.Second {
			t.Error("the slow resolver was not waited for")
		}
		far.reply(inv, "486 Busy", "")
		far.expect("ACK")
		told[sip.Rejected](o)

		o = b.dial(sip.Dial{Target: sip.Target{URI: "sip:sip.carrier.example"}}) // from memory
		far.reply(far.expect("INVITE"), "486 Busy", "")
		far.expect("ACK")
		told[sip.Rejected](o)

		start = time.Now()
		o = b.dial(sip.Dial{Target: sip.Target{URI: "sip:nowhere.example"}})
		if ev := told[sip.Rejected](o); ev.Code != 503 || time.Since(start) > 4*time.Second {
			t.Errorf("%+v after %v", ev, time.Since(start))
		}

		o = b.dial(sip.Dial{Target: sip.Target{URI: "sip:elsewhere.example"}})
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) }) // while it is looked up
		time.Sleep(10 * time.Second)
		o.toldNothing()
	}, func(c *sip.Config) {
		c.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			if host == "sip.carrier.example" {
				time.Sleep(3 * time.Second)
				return []netip.Addr{trunkAt.Addr()}, nil
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
}

// The far end reaches us only through its own Contact when it is behind NAT.
func TestContactOfAPrivateNetworkIsNotFollowed(t *testing.T) {
	story(t, func(b *bench) {
		public := netip.MustParseAddrPort("203.0.113.5:5060")
		far := b.peer(public)
		o := b.dial(sip.Dial{Target: sip.Target{URI: "sip:" + public.String()}})
		inv := far.expect("INVITE")
		far.reply(inv, "200 OK", answerSDP, "Contact: <sip:callee@192.168.1.5:5060>")
		far.expect("ACK sip:callee@192.168.1.5:5060")
		told[sip.Answered](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		far.reply(far.expect("BYE sip:callee@192.168.1.5:5060"), "200 OK", "")
	})
}

// The registrar has named the way for calls (RFC 3608): the first hop gets them,
// whatever the Request-URI says, and CANCEL takes the same way.
func TestServiceRouteIsTheWayOfCalls(t *testing.T) {
	routes := []string{"<sip:10.0.0.66:5060;lr>", "<sip:core.example;lr>"}
	story(t, func(b *bench) {
		far, edge := b.peer(trunkAt), b.peer(strangerAt)
		o := b.dial(sip.Dial{To: "+15550123", Routes: routes, Target: sip.Target{URI: "sip:10.0.0.2", Username: "u", Password: "p"}})
		inv := edge.expect("INVITE sip:+15550123@10.0.0.2 ")
		edge.reply(inv, "407 Proxy Authentication Required", "", "Proxy-Authenticate: "+digest.New("edge", time.Now).Challenge(false)[0])
		edge.expect("ACK")
		inv = edge.expect("INVITE sip:+15550123@10.0.0.2 ")
		if got := inv.all("Route"); len(got) != 2 || got[0] != routes[0] || got[1] != routes[1] || inv.get("Proxy-Authorization") == "" {
			t.Errorf("%+v", inv)
		}
		edge.reply(inv, "180 Ringing", "")
		told[sip.Progressed](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		cancel := edge.expect("CANCEL")
		if got := cancel.all("Route"); len(got) != 2 {
			t.Errorf("%+v", cancel)
		}
		edge.reply(cancel, "200 OK", "")
		edge.reply(inv, "487 Request Terminated", "")
		edge.expect("ACK")
		far.silent(time.Second)
	})
	for _, bad := range [][]string{{"<sip:10.0.0.66>"}, {"sip:10.0.0.66;lr"}, {"<sip:10.0.0.66;lr>", "<tel:1;lr>"}, {"<sip:10.0.0.66;lr>\r\nEvil: 1"}, {""}, make([]string, 100)} {
		story(t, func(b *bench) {
			far := b.peer(trunkAt)
			o := b.dial(sip.Dial{Routes: bad})
			inv := far.expect("INVITE")
			if inv.get("Route") != "" {
				t.Errorf("%q: %+v", bad, inv)
			}
			far.reply(inv, "486 Busy", "")
			far.expect("ACK")
			told[sip.Rejected](o)
		})
	}
}
