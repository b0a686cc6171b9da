package sip_test

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
)

const flowContact = `Contact: <sip:alice@192.168.1.7:5061>;reg-id=1;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"`

// A phone that keeps several flows hears that we know of it.
func TestOutboundOverAConnection(t *testing.T) {
	_, addrs := serve(t, handle(nil), "tcp://127.0.0.1:0")
	conn, err := net.Dial("tcp", addrs[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	s := &stream{t: t, Conn: conn, r: bufio.NewReader(conn)}
	send := func(cseq int, extra ...string) message {
		text := request("REGISTER", "TCP 127.0.0.1:9;branch=z9hG4bKf"+strings.Repeat("x", cseq), "flow", cseq, "<sip:alice@127.0.0.1>", "", append(extra, flowContact)...)
		s.write(text)
		return s.read()
	}
	auth := credentials(t, send(1), "REGISTER", "sip:+15551000@127.0.0.1", "secret")
	if m := send(2, auth, "Supported: path, outbound"); !strings.Contains(m.start, "200") || m.get("Require") != "outbound" || m.get("Flow-Timer") != "120" {
		t.Errorf("%+v", m)
	}
	auth = credentials(t, send(3), "REGISTER", "sip:+15551000@127.0.0.1", "secret")
	if m := send(4, auth); !strings.Contains(m.start, "200") || m.get("Require") != "" || m.get("Flow-Timer") != "" {
		t.Errorf("%+v", m)
	}
}

// RFC 5626 §6: through a proxy that does not keep the flow to the phone, there
// are no flows.
func TestFirstHopLacksOutbound(t *testing.T) {
	for path, want := range map[string]string{"<sip:edge.example;lr>": "439 First Hop Lacks Outbound Support", "<sip:edge.example;lr;ob>": "200 OK"} {
		story(t, func(b *bench) {
			proxy := b.peer(phoneAt)
			second := "Via: SIP/2.0/UDP 192.168.1.7;branch=z9hG4bKphone"
			proxy.register(1, second)
			auth := credentials(t, proxy.expect("401"), "REGISTER", "sip:10.0.0.1", "secret")
			proxy.register(2, auth, second, "Supported: path, outbound", "Path: "+path, flowContact)
			proxy.expect(want)
		})
	}
}

// Over UDP a flow is kept open by STUN (RFC 5626 §4.4.2), which is answered to
// who has registered, a trunk, and nobody else.
func TestFlowOverUDPIsKeptBySTUN(t *testing.T) {
	const binding = "\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl"
	story(t, func(b *bench) {
		phone, neighbour, stranger, trunk := b.peer(phoneAt), b.peer(netip.AddrPortFrom(phoneAt.Addr(), 40002)), b.peer(strangerAt), b.peer(trunkAt)
		phone.write(binding)
		phone.silent(time.Second)
		phone.register(1)
		auth := credentials(t, phone.expect("401"), "REGISTER", "sip:10.0.0.1", "secret")
		phone.register(2, auth, "Require: outbound", flowContact)
		if m := phone.expect("200"); m.get("Require") != "outbound" || m.get("Flow-Timer") != "120" {
			t.Errorf("%+v", m)
		}
		for range 20 {
			phone.write(binding)
			if m, ok := phone.next(time.Second); !ok || m.start != "\x01\x01\x00\x0c\x21\x12\xa4\x42abcdefghijkl\x00\x20\x00\x08\x00\x01\xbd\x53\x2b\x12\xa4\x41" {
				t.Errorf("% x", m.start)
			}
			time.Sleep(25 * time.Second)
		}
		trunk.write(binding)
		if _, ok := trunk.next(time.Second); !ok {
			t.Error("a trunk is not answered")
		}
		for _, p := range []*peer{neighbour, stranger} {
			for range 5 {
				p.write(binding)
				p.silent(time.Second)
			}
		}
		phone.write(strings.Replace(binding, "\x00\x01", "\x00\x03", 1)) // Allocate: we are no relay
		phone.silent(time.Second)
	})
}

// When the newest flow of a phone fails an older one of it is tried, and none when
// the phone itself has answered (RFC 5626 §5.3).
func TestOlderFlowOfAPhone(t *testing.T) {
	register := func(p *peer, flow, cseq int, extra ...string) {
		text := request("REGISTER", fmt.Sprintf("UDP 192.168.1.7;rport;branch=z9hG4bKf%d-%d", flow, cseq), fmt.Sprintf("flow%d", flow), cseq,
			"<sip:alice@10.0.0.1>", "", append(extra, strings.Replace(flowContact, "reg-id=1", fmt.Sprintf("reg-id=%d", flow), 1))...)
		p.write(text)
	}
	secondFlow := netip.AddrPortFrom(phoneAt.Addr(), 40002)
	both := func(b *bench) (first, second *peer, o *owner) {
		first, second = b.peer(phoneAt), b.peer(secondFlow)
		for i, p := range []*peer{first, second} {
			register(p, i+1, 1)
			register(p, i+1, 2, credentials(t, p.expect("401"), "REGISTER", "sip:+15551000@127.0.0.1", "secret"))
			p.expect("200")
			time.Sleep(time.Second)
		}
		all := b.ep.Bindings("alice")
		if len(all) != 1 || all[0].Source != secondFlow {
			t.Fatalf("%+v", all)
		}
		return first, second, b.dial(sip.Dial{To: "alice", Target: sip.Target{Binding: &all[0]}})
	}
	answers := func(first *peer, o *owner) {
		t.Helper()
		inv := first.expect("INVITE sip:alice@192.168.1.7:5061")
		first.reply(inv, "200 OK", answerSDP)
		first.expect("ACK")
		told[sip.Answered](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		first.reply(first.expect("BYE"), "200 OK", "")
	}
	for _, status := range []string{"430 Flow Failed", "408 Request Timeout"} {
		story(t, func(b *bench) {
			first, second, o := both(b)
			second.reply(second.expect("INVITE"), status, "")
			second.expect("ACK")
			answers(first, o)
		})
	}
	story(t, func(b *bench) { // a NAT that has forgotten it
		first, _, o := both(b)
		start := time.Now()
		answers(first, o)
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("after %v", took)
		}
	})
	for _, status := range []string{"486 Busy Here", "503 Service Unavailable", "603 Decline"} {
		story(t, func(b *bench) {
			first, second, o := both(b)
			second.reply(second.expect("INVITE"), status, "")
			second.expect("ACK")
			told[sip.Rejected](o)
			first.silent(10 * time.Second)
		})
	}
}
