package sip_test

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"b2bua/sip"

	"github.com/coder/websocket"
)

// answerTo is what a far end on UDP gets that hears only the address it has dialled.
func answerTo(t *testing.T, to net.Addr, text string) message {
	t.Helper()
	c, err := net.Dial("udp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 65536)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return parse(string(b[:n]))
}

// An answer leaves by the socket its request came in at, of several of one
// network, and of either family.
func TestAnswersLeaveByTheirListener(t *testing.T) {
	_, addrs := serve(t, decline{}, "udp://127.0.0.1:0", "udp://127.0.0.1:0", "udp://[::1]:0")
	for i, at := range addrs {
		n := strconv.Itoa(i)
		m := answerTo(t, at, request("OPTIONS", "UDP h;rport;branch=z9hG4bKl"+n, "listener"+n, 1, "<sip:a@b>", ""))
		if !strings.HasPrefix(m.start, "SIP/2.0 200") {
			t.Errorf("%v: %+v", at, m)
		}
	}
}

// A datagram cannot keep the promise of sips (RFC 3261 §26.2.2).
func TestSIPSOverUDP(t *testing.T) {
	_, addrs := serve(t, decline{}, "udp://127.0.0.1:0")
	text := strings.Replace(request("INVITE", "UDP h;rport;branch=z9hG4bKs", "sips", 1, "<sips:a@b>", offerSDP, "Contact: <sips:far@127.0.0.1>"), "INVITE sip:", "INVITE sips:", 1)
	if m := answerTo(t, addrs[0], text); !strings.HasPrefix(m.start, "SIP/2.0 416") {
		t.Errorf("%+v", m)
	}
}

// A browser calls, and hangs up, over its WebSocket (RFC 7118).
func TestCallOverWebSocket(t *testing.T) {
	taken := make(chan *owner, 1)
	b := &bench{t: t}
	_, addrs := serve(t, handle(func(in *sip.Invitation) {
		o := b.owner()
		o.leg = in.Take(o.loop.Post, o.on)
		taken <- o
	}), "ws://127.0.0.1:0")
	ws, _, err := websocket.Dial(t.Context(), "ws://"+addrs[0].String()+"/", &websocket.DialOptions{Subprotocols: []string{"sip"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	write := func(text string) {
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(start string) message {
		t.Helper()
		_, data, err := ws.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m := parse(string(data))
		if !strings.HasPrefix(m.start, start) {
			t.Fatalf("got %q, want %q", m.start, start)
		}
		return m
	}
	write(request("INVITE", "WS df7jal23ls0d.invalid;branch=z9hG4bKw1", "ws1", 1, "<sip:+15551000@127.0.0.1>", offerSDP, "Contact: <sip:far@df7jal23ls0d.invalid;transport=ws>"))
	expect("SIP/2.0 100")
	o := <-taken
	o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
	ok := expect("SIP/2.0 200")
	if !strings.Contains(ok.get("Contact"), ";transport=ws") {
		t.Errorf("contact %s", ok.get("Contact"))
	}
	write(request("ACK", "WS df7jal23ls0d.invalid;branch=z9hG4bKw2", "ws1", 1, ok.get("To"), ""))
	told[sip.Confirmed](o)
	o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
	if bye := expect("BYE sip:far@df7jal23ls0d.invalid"); !strings.HasPrefix(bye.get("Via"), "SIP/2.0/WS ") {
		t.Errorf("via %s", bye.get("Via"))
	}
}
