package sip_test

import (
	"bufio"
	"net"
	"strings"
	"testing"
)

const flowContact = `Contact: <sip:alice@192.168.1.7:5061>;reg-id=1;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"`

// A phone that keeps several flows hears that we know of it, over a connection;
// over UDP that would promise what we do not do.
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
	story(t, func(b *bench) { // straight, by UDP: as any other
		phone := b.peer(phoneAt)
		phone.register(1)
		auth := credentials(t, phone.expect("401"), "REGISTER", "sip:10.0.0.1", "secret")
		phone.register(2, auth, "Supported: path, outbound", flowContact)
		if m := phone.expect("200"); m.get("Require") != "" {
			t.Errorf("%+v", m)
		}
	})
}
