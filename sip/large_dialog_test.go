package sip_test

import (
	"bufio"
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"b2bua/sip"
)

// largeSDP is more than fits into a datagram.
var largeSDP = offerSDP + strings.Repeat("a=x:"+strings.Repeat("y", 92)+"\r\n", 14)

func okFor(req message, contact, body string) string {
	to := req.get("To")
	if !strings.Contains(to, ";tag=") {
		to += ";tag=far"
	}
	lines := []string{"SIP/2.0 200 OK", "Via: " + req.get("Via"), "From: " + req.get("From"), "To: " + to,
		"Call-ID: " + req.get("Call-ID"), "CSeq: " + req.get("CSeq"), "Contact: " + contact}
	if body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	return strings.Join(append(lines, "Content-Length: "+strconv.Itoa(len(body)), "", body), "\r\n")
}

// A call whose INVITE was too large for UDP goes on by what the far end's Contact
// says (RFC 3261 §12.2.1.1), and by the same connection again whenever a request
// is as large (§18.1.1), or by a new one.
func TestDialogOfALargeRequest(t *testing.T) {
	for name, byTCP := range map[string]bool{"Contact by UDP": false, "Contact by TCP": true} {
		t.Run(name, func(t *testing.T) {
			ep, _ := serve(t, decline{}, "udp://127.0.0.1:0", "tcp://127.0.0.1:0")
			packets, l := twoWays(t, true)
			contact := "<sip:far@" + l.Addr().String() + ">"
			if byTCP {
				contact = strings.Replace(contact, ">", ";transport=tcp>", 1)
			}
			b := &bench{t: t, ep: ep}
			o := b.dial(sip.Dial{Target: sip.Target{URI: "sip:" + l.Addr().String()}, Offer: []byte(largeSDP)})
			far := accepted(t, l)
			small := func() (message, func(string)) { // the next small request, and how to answer it
				if byTCP {
					return far.read(), far.write
				}
				m, from := datagram(t, packets)
				return m, func(s string) { _, _ = packets.WriteToUDPAddrPort([]byte(s), from) }
			}
			inv := far.read()
			far.write(okFor(inv, contact, answerSDP))
			if ack, _ := small(); !strings.HasPrefix(ack.start, "ACK sip:far@") {
				t.Errorf("%+v", ack)
			}
			told[sip.Answered](o)

			o.do(func(l *sip.Leg) { l.Reinvite([]byte(largeSDP)) })
			again := far.read()
			if again.body != largeSDP || !strings.HasPrefix(again.get("Via"), "SIP/2.0/TCP ") || !strings.Contains(again.get("Contact"), ";transport=tcp>") {
				t.Errorf("%+v", again)
			}
			far.write(okFor(again, contact, answerSDP))
			small()
			told[sip.Reanswered](o)

			// The connection ends: the next one is made.
			_ = far.Close()
			o.do(func(l *sip.Leg) { l.Reinvite([]byte(largeSDP)) })
			far = accepted(t, l)
			again = far.read()
			far.write(okFor(again, contact, answerSDP))
			small()
			told[sip.Reanswered](o)

			o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
			bye, answer := small()
			if !strings.HasPrefix(bye.start, "BYE sip:far@") {
				t.Errorf("%+v", bye)
			}
			answer(okFor(bye, contact, ""))
		})
	}
}

func accepted(t *testing.T, l net.Listener) *stream {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &stream{t: t, Conn: c, r: bufio.NewReader(c)}
}

// An ACK is a request, too: with a route that makes it large it goes by the
// connection of its INVITE.
func TestLargeAck(t *testing.T) {
	ep, _ := serve(t, decline{}, "udp://127.0.0.1:0", "tcp://127.0.0.1:0")
	_, l := twoWays(t, true)
	b := &bench{t: t, ep: ep}
	o := b.dial(sip.Dial{Target: sip.Target{URI: "sip:" + l.Addr().String()}, Offer: []byte(largeSDP)})
	far := accepted(t, l)
	inv := far.read()
	route := "<sip:" + l.Addr().String() + ";lr;x=" + strings.Repeat("y", 1200) + ">"
	far.write(strings.Replace(okFor(inv, "<sip:far@"+l.Addr().String()+">", answerSDP), "Contact:", "Record-Route: "+route+"\r\nContact:", 1))
	if ack := far.read(); !strings.HasPrefix(ack.start, "ACK ") || ack.get("Route") != route || !strings.HasPrefix(ack.get("Via"), "SIP/2.0/TCP ") {
		t.Errorf("%+v", ack)
	}
	told[sip.Answered](o)
	o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
	bye := far.read() // as large
	far.write(okFor(bye, "<sip:far@"+l.Addr().String()+">", ""))
}

// Who refuses a large request for a while refuses small ones, too: the next call
// begins with another address of the host.
func TestLargeRequestRefusedForAWhile(t *testing.T) {
	packets, l := twoWays(t, true)
	second, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2), Port: packets.LocalAddr().(*net.UDPAddr).Port})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	ep, _ := serveBy(t, decline{}, sip.Config{Listen: []string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0"}, Resolve: twoHosts})
	b := &bench{t: t, ep: ep}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	target := sip.Target{URI: "sip:two.example:" + port}
	dial := func(offer string) *owner { return b.dial(sip.Dial{Target: target, Offer: []byte(offer)}) }
	o := dial(largeSDP)
	far := accepted(t, l)
	inv := far.read()
	far.write(strings.Replace(strings.Replace(busyFor(inv), "486 Busy Here", "503 Service Unavailable", 1), "Content-Length", "Retry-After: 60\r\nContent-Length", 1))
	far.read() // the ACK
	inv, from := datagram(t, second)
	_, _ = second.WriteToUDPAddrPort([]byte(busyFor(inv)), from)
	told[sip.Rejected](o)
	datagram(t, second)
	o = dial("")
	inv, from = datagram(t, second)
	_, _ = second.WriteToUDPAddrPort([]byte(busyFor(inv)), from)
	told[sip.Rejected](o)
	if at := o.whereTo(); len(at) != 1 || at[0].Addr.Addr() != netip.MustParseAddr("127.0.0.2") {
		t.Errorf("%v", at)
	}
}

func twoHosts(context.Context, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")}, nil
}
