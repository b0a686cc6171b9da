package sip_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
	"b2bua/testbench/memnet"
)

// garbage are requests within a dialog, with what would make them work.
var garbage = map[string][]string{
	"REFER":     {"Refer-To: <sip:+19005551234@10.0.0.99>", "Contact: <sip:spy@10.0.0.66>"},
	"NOTIFY":    {"Event: refer", "Subscription-State: terminated", "Contact: <sip:spy@10.0.0.66>"},
	"SUBSCRIBE": {"Event: refer", "Expires: 3600", "Contact: <sip:spy@10.0.0.66>"},
	"PRACK":     {"RAck: 1 1 INVITE"},
	"UPDATE":    {"Contact: <sip:spy@10.0.0.66>"},
	"INFO":      {"Info-Package: x"},
}

// watched fails when the switch writes a line of an attacker's, or to a host
// that has not written to it.
func watched(b *bench) {
	b.net.Observe = func(d memnet.Datagram) {
		if d.From != switchAt {
			return
		}
		if d.To != trunkAt && d.To != strangerAt && d.To != otherAt {
			b.t.Errorf("written to %s: %.60q", d.To, d.Payload)
		}
		head, _, _ := strings.Cut(string(d.Payload), "\r\n\r\n")
		for _, line := range strings.FieldsFunc(head, func(r rune) bool { return r == '\r' || r == '\n' }) {
			if strings.HasPrefix(strings.ToLower(line), "evil") {
				b.t.Errorf("a line of the attacker's: %q", d.Payload)
			}
		}
	}
}

// Who knows a call's Call-ID, but not its tags, changes nothing in it, neither
// from an address of its trunk nor from elsewhere.
func TestAttack32StrangersInADialog(t *testing.T) {
	for name, side := range map[string]func(*bench) (*peer, *dialogue, *owner){"called by the trunk": talking, "calling the trunk": called} {
		t.Run(name, func(t *testing.T) {
			story(t, func(b *bench) {
				watched(b)
				far, d, o := side(b)
				stranger := b.peer(strangerAt)
				n := d.cseq
				for method, extra := range garbage {
					for _, from := range []*peer{far, stranger} {
						for _, tags := range [][2]string{{"tag=guess", ""}, {"", "tag=guess"}, {"tag=guess", "tag=guess"}, {"x=none", ""}, {"", "x=none"}} {
							n++
							wrong := *d
							wrong.p, wrong.cseq = from, n
							wrong.local, wrong.remote = retagged(d.local, tags[0]), retagged(d.remote, tags[1])
							sdp := ""
							if method == "UPDATE" {
								sdp = strings.ReplaceAll(offerSDP, "10.0.0.2", "10.0.0.99")
							}
							wrong.send(method, sdp, extra...)
							m, ok := from.next(time.Second)
							if ok && m.start < "SIP/2.0 400" || !ok && from == far {
								t.Errorf("%s from %s with %q and %q: %s", method, from.name, wrong.local, wrong.remote, m.start)
							}
						}
					}
				}
				o.toldNothing()
				b.nobodyInvited()
				hangUp(far, o)
			})
		})
	}
}

// retagged gives an address another parameter in place of its tag; none keeps it.
func retagged(address, param string) string {
	if param == "" {
		return address
	}
	bare, _, _ := strings.Cut(address, ";tag=")
	return bare + ";" + param
}

// What comes after the BYE finds no call, and makes none.
func TestAttack32GarbageAfterTheBye(t *testing.T) {
	story(t, func(b *bench) {
		watched(b)
		far, d, o := talking(b)
		d.send("BYE", "")
		far.expect("200")
		told[sip.Ended](o)
		for method, extra := range garbage {
			d.send(method, "", extra...)
			if m := far.expect("4"); m.start[8:11] != "481" {
				t.Errorf("%s after the BYE gets %s", method, m.start)
			}
		}
		o.toldNothing()
		b.nobodyInvited()
	})
}

// Whoever is in a call may ask for a transfer, but writes no line of our
// messages by it: what would is refused or loses its line ends.
func TestAttack34ReferThatWouldWriteLines(t *testing.T) {
	story(t, func(b *bench) {
		watched(b)
		far, d, o := talking(b)
		for _, to := range []string{
			"<sip:" + strings.Repeat("9", 5000) + "@10.0.0.1>",
			"<sip:x@" + strings.Repeat("h", 5000) + ">",
			"<sip:x@10.0.0.1?a=" + strings.Repeat("b%26", 2000) + ">",
			"<sip:x@10.0.0.1%0d%0aEvil:%201>",
			"<sip:x@10.0.0.1?Replaces=a%0d%0aEvil%3A%201%3Bto-tag%3D1%3Bfrom-tag%3D2>",
			"<sip:x@10.0.0.1?Replaces=a%3Bto-tag%3D1%0d%0aEvil%3A1%3Bfrom-tag%3D2>",
			"<sip:x@10.0.0.1?Replaces=" + strings.Repeat("a", 3000) + "%3Bto-tag%3D1%3Bfrom-tag%3D2>",
			"<sip:x@10.0.0.1>\r\nRefer-To: <sip:y@10.0.0.1>",
			"<evil%0d%0aEvil:x>",
		} {
			d.send("REFER", "", "Refer-To: "+to, "Contact: <sip:far@10.0.0.2:5060>")
			if m, ok := far.next(time.Second); !ok || m.start[8:11] != "400" {
				t.Errorf("REFER to %.60q gets %q", to, m.start)
			}
		}
		o.toldNothing()
		// What can be read as somebody is shown to the owner, who may even dial it.
		for i, to := range []string{"<sip:+1415%0d%0aEvil:%201%0d%0a@10.0.0.1>", "\"a\\\"%0d%0aEvil: 1\" <sip:x%00%0aEvil@10.0.0.1;p=%0d%0aEvil>"} {
			d.send("REFER", "", "Refer-To: "+to, "Referred-By: <sip:y%0d%0aEvil:1@10.0.0.2>", "Contact: <sip:far@10.0.0.2:5060>")
			ev := told[sip.Referred](o)
			if strings.ContainsAny(ev.To.User+ev.To.URI+ev.To.Host+ev.By, "\r\n\x00") {
				t.Errorf("told %+v by %q", ev.To, ev.By)
			}
			o.do(func(l *sip.Leg) { l.RefuseRefer(403) })
			far.expect("403")
			out := b.dial(sip.Dial{To: ev.To.User, From: sip.Party{User: ev.By, Display: ev.To.URI}, Headers: []sip.Header{{Name: "Referred-By", Value: ev.By}}})
			inv := far.expect("INVITE ")
			if strings.ContainsAny(inv.start, "\r\n") || len(inv.all("To")) != 1 {
				t.Errorf("%d: %+v", i, inv)
			}
			far.reply(inv, "486 Busy Here", "")
			far.expect("ACK")
			told[sip.Rejected](out)
		}
		b.nobodyInvited()
		hangUp(far, o)
	})
}

// An INVITE whose Replaces would end a line replaces nobody.
func TestAttack34ReplacesThatWouldWriteLines(t *testing.T) {
	story(t, func(b *bench) {
		watched(b)
		far, d, o := talking(b)
		for i, value := range []string{
			d.callID + "%0d%0aEvil:1;to-tag=1;from-tag=2", "a;to-tag=%0d%0aEvil;from-tag=2", "a;to-tag=1;from-tag=2\r\nReplaces: a;to-tag=1;from-tag=2",
			strings.Repeat("a", 5000) + ";to-tag=1;from-tag=2", d.callID + ";to-tag=guess;from-tag=guess",
		} {
			far.write(request("INVITE", fmt.Sprintf("UDP %s;branch=z9hG4bKr%d;rport", far.name, i), fmt.Sprintf("r%d", i), 1, "<sip:+15551000@10.0.0.1>", offerSDP,
				"Contact: <sip:far@10.0.0.2:5060>", "Replaces: "+value))
			m := far.expect("")
			if strings.HasPrefix(m.start, "SIP/2.0 100") {
				t.Logf("%q goes on to a decision", value)
				in := b.invitation()
				if in.Replaces != nil {
					if _, ok := b.ep.Dialog(*in.Replaces); ok {
						t.Errorf("%q finds a call", value)
					}
				}
				in.Reject(480, "")
				m = far.expect("480")
			}
			if m.start < "SIP/2.0 400" {
				t.Errorf("%q gets %s", value, m.start)
			}
			far.write(request("ACK", fmt.Sprintf("UDP %s;branch=z9hG4bKr%d;rport", far.name, i), fmt.Sprintf("r%d", i), 1, m.get("To"), ""))
		}
		o.toldNothing()
		hangUp(far, o)
	})
}
