package sip_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
	"b2bua/testbench/memnet"
)

// asked is a request of a stranger that belongs to nothing.
func asked(method string, n int, extra ...string) string {
	return request(method, fmt.Sprintf("UDP 10.0.0.66:5060;branch=z9hG4bKs%s%d;rport", method, n), fmt.Sprintf("s%s%d", method, n), 1, "<sip:+15551000@10.0.0.1>", "", extra...)
}

// What is not a call is not done for strangers: nothing is
// accepted, nobody is told anything, and no call is made.
func TestAttack17To19NothingButCalls(t *testing.T) {
	for _, from := range []netip.AddrPort{strangerAt, trunkAt} {
		for method, extra := range map[string][]string{
			"NOTIFY":    {"Event: message-summary", "Subscription-State: active"},
			"MESSAGE":   {"Content-Type: text/plain"},
			"SUBSCRIBE": {"Event: presence", "Expires: 3600", "Contact: <sip:spy@10.0.0.66>"},
			"PUBLISH":   {"Event: presence", "Expires: 3600"},
			"REFER":     {"Refer-To: <sip:+19005551234@10.0.0.99>", "Contact: <sip:spy@10.0.0.66>"},
		} {
			story(t, func(b *bench) {
				p := b.peer(from)
				var codes []string
				b.net.Observe = func(d memnet.Datagram) {
					if d.From == switchAt && d.To != from {
						t.Errorf("%s makes us write to %s", method, d.To)
					}
				}
				for i := range 3 {
					p.write(asked(method, i, extra...))
					if m, ok := p.next(time.Second); ok {
						codes = append(codes, m.start)
					}
				}
				b.nobodyInvited()
				for _, c := range codes {
					if c < "SIP/2.0 400" {
						t.Errorf("%s from %s gets %s", method, from, c)
					}
				}
			})
		}
	}
}

// Neither Route, nor the Request-URI, nor maddr makes us write to a
// third host, nor do Via and Contact.
func TestAttack22OpenRelay(t *testing.T) {
	const third = "10.0.0.99"
	for _, from := range []netip.AddrPort{strangerAt, trunkAt, phoneAt} {
		story(t, func(b *bench) {
			p := b.peer(from)
			b.net.Observe = func(d memnet.Datagram) {
				if d.To.Addr().String() == third {
					t.Errorf("written to the third host: %.40q", d.Payload)
				}
			}
			n := 0
			for _, method := range []string{"INVITE", "OPTIONS", "REGISTER", "MESSAGE", "BYE", "ACK", "CANCEL"} {
				for _, edit := range []string{"Route: <sip:" + third + ";lr>", "Record-Route: <sip:" + third + ";lr>", "Contact: <sip:x@" + third + ">",
					"Path: <sip:" + third + ";lr>", "Reply-To: <sip:" + third + ">"} {
					n++
					p.write(asked(method, n, edit))
				}
				for _, uri := range []string{"sip:x@" + third, "sip:10.0.0.1;maddr=" + third, "sip:x@10.0.0.1;maddr=" + third + ";transport=udp", "sip:x%40" + third + "@10.0.0.1"} {
					n++
					p.write(strings.Replace(asked(method, n), "sip:+15551000@127.0.0.1", uri, 1))
				}
				for _, via := range []string{"UDP " + third + ";branch", "UDP " + third + ":5060;received=" + third + ";branch", "UDP 10.0.0.66;maddr=" + third + ";branch"} {
					n++
					p.write(strings.Replace(asked(method, n), "UDP 10.0.0.66:5060;branch", via, 1))
				}
				time.Sleep(time.Second)
			}
			for len(b.invited) > 0 {
				(<-b.invited).Reject(480, "")
			}
		})
	}
}

// Nobody gets more octets than three times what was sent in his name,
// whatever it is.
func TestAttack24Reflection(t *testing.T) {
	tiny := func(method string, n int) string {
		return fmt.Sprintf("%s sip:a SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK%d\r\nf: <sip:a>;tag=1\r\nt: <sip:a>\r\ni: %d\r\nCSeq: 1 %s\r\n\r\n", method, n, n, method)
	}
	for name, text := range map[string]func(n int) string{
		"INVITE":              func(n int) string { return asked("INVITE", n, "Contact: <sip:x@h>") },
		"OPTIONS":             func(n int) string { return asked("OPTIONS", n) },
		"REGISTER":            func(n int) string { return asked("REGISTER", n) },
		"REGISTER of a phone": func(n int) string { return asked("REGISTER", n, "User-Agent: x") },
		"the same REGISTER":   func(int) string { return asked("REGISTER", 1, "User-Agent: x") },
		"tiny REGISTER":       func(n int) string { return tiny("REGISTER", n) },
		"tiny with an agent":  func(n int) string { return strings.Replace(tiny("REGISTER", n), "f:", "User-Agent: x\r\nf:", 1) },
		"tiny OPTIONS":        func(n int) string { return tiny("OPTIONS", n) },
		"tiny INVITE":         func(n int) string { return tiny("INVITE", n) },
		"tiny BYE":            func(n int) string { return tiny("BYE", n) },
		"tiny unknown":        func(n int) string { return tiny("X", n) },
		"broken":              func(n int) string { return strings.Replace(tiny("OPTIONS", n), "CSeq: 1", "CSeq: x", 1) },
		"keepalive":           func(int) string { return "\r\n\r\n" },
		"garbage":             func(int) string { return "\x00\x01\x02 SIP/2.0\r\n\r\n" },
	} {
		story(t, func(b *bench) {
			in, out := 0, 0
			b.net.Observe = func(d memnet.Datagram) {
				switch strangerAt.Addr() {
				case d.From.Addr():
					in += len(d.Payload)
				case d.To.Addr():
					out += len(d.Payload)
				}
				if out > 3*in {
					t.Errorf("%s: %d octets for %d", name, out, in)
				}
			}
			stranger := b.peer(strangerAt)
			for i := range 40 {
				stranger.write(text(i))
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
}

// What no longer has a call, or never had one, changes nothing.
func TestAttack32RequestsOutOfPlace(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		far.expect("100")
		o, _ := b.take()
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		d.answered(far.expect("200"))
		d.ack()
		told[sip.Confirmed](o)
		d.send("BYE", "")
		far.expect("200")
		told[sip.Ended](o)
		for _, method := range []string{"INVITE", "UPDATE", "INFO", "BYE", "OPTIONS"} {
			sdp := ""
			if method == "INVITE" || method == "UPDATE" {
				sdp = strings.Replace(offerSDP, "audio", "image", 1)
			}
			d.send(method, sdp)
			if m := far.expect("4"); m.start[8:11] != "481" {
				t.Errorf("%s after the BYE gets %s", method, m.start)
			}
		}
		o.toldNothing()
		alive(b)
	})
}

// What a caller writes about itself reaches nobody else: the other
// leg's headers are our own.
func TestAttack47HeadersAreRebuilt(t *testing.T) {
	story(t, func(b *bench) {
		phone := registered(b)
		bindings := b.ep.Bindings("alice")
		evil := "\"x\\\" <sip:evil@h>\" " + strings.Repeat("%00", 100) + "\r\nEvil: 1"
		o := b.dial(sip.Dial{Target: sip.Target{Binding: &bindings[0]}, To: evil, From: sip.Party{User: evil, Display: evil, Host: "h\r\nEvil: 2"},
			Headers: []sip.Header{{Name: "Evil\r\nEvil", Value: "3"}, {Name: "X-Fine", Value: evil}}})
		inv := phone.expect("INVITE ")
		if inv.get("Evil") != "" || len(inv.all("From")) != 1 || !strings.HasPrefix(inv.get("X-Fine"), `"x`) || strings.ContainsAny(inv.start, "<>\"") {
			t.Errorf("%+v", inv)
		}
		phone.reply(inv, "486 Busy Here", "")
		phone.expect("ACK")
		told[sip.Rejected](o)
	})
}

// Who is nobody to us is told so a few times, whatever it asks; a phone, and a
// trunk, may ask for ever.
func TestAttack17StrangersAreNotAnsweredWithoutEnd(t *testing.T) {
	story(t, func(b *bench) {
		phone, trunk, stranger := registered(b), b.peer(trunkAt), b.peer(strangerAt)
		for _, ask := range []string{"OPTIONS", "BYE"} {
			for n := range 50 {
				stranger.write(asked(ask, n))
				time.Sleep(100 * time.Millisecond)
			}
			answers := 0
			for {
				if _, ok := stranger.next(time.Second); !ok {
					break
				}
				answers++
			}
			if answers < 3 || answers > 5 {
				t.Errorf("%s: %d answers", ask, answers)
			}
			time.Sleep(2 * time.Minute)
		}
		for n := range 20 {
			phone.write(asked("OPTIONS", n))
			phone.expect("200")
			trunk.write(asked("OPTIONS", n))
			trunk.expect("200")
			time.Sleep(time.Second)
		}
	})
}
