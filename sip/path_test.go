package sip_test

import (
	"slices"
	"strings"
	"testing"

	"b2bua/sip"
)

// A phone behind a proxy that wants to stay on the way (RFC 3327).
func TestPathIsTheRouteToThePhone(t *testing.T) {
	story(t, func(b *bench) {
		phone := b.peer(phoneAt)
		path := []string{"Supported: path, outbound", "Path: <sip:edge.example;lr>, <sip:10.0.0.3:40001;lr;ob>"}
		phone.register(1, path...)
		auth := credentials(t, phone.expect("401"), "REGISTER", "sip:10.0.0.1", "secret")
		phone.register(2, append(path, auth)...)
		want := []string{"<sip:edge.example;lr>", "<sip:10.0.0.3:40001;lr;ob>"}
		if ok := phone.expect("200"); !slices.Equal(ok.all("Path"), want) {
			t.Errorf("%q", ok.all("Path"))
		}
		bindings := b.ep.Bindings("alice")
		o := b.dial(sip.Dial{Target: sip.Target{Binding: &bindings[0]}, To: "alice"})
		inv := phone.expect("INVITE sip:alice@192.168.1.7:5060;ob SIP/2.0")
		if !slices.Equal(inv.all("Route"), want) {
			t.Errorf("%q", inv.all("Route"))
		}
		phone.reply(inv, "486 Busy Here", "")
		if ack := phone.expect("ACK"); !slices.Equal(ack.all("Route"), want) {
			t.Errorf("%q", ack.all("Route"))
		}
		told[sip.Rejected](o)
	})
}

func TestPathIsBounded(t *testing.T) {
	for name, path := range map[string]string{
		"too long": strings.Repeat("<sip:a;lr>, ", 10) + "<sip:a;lr>",
		"no route": "sip:edge.example", "two in one": "<sip:a> <sip:b>", "another scheme": "<tel:+1555>",
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(b *bench) {
				phone := b.peer(phoneAt)
				phone.register(1)
				auth := credentials(t, phone.expect("401"), "REGISTER", "sip:10.0.0.1", "secret")
				phone.register(2, auth, "Supported: path", "Path: "+path)
				phone.expect("400")
			})
		})
	}
}

// Two flows of one phone are one phone: the newest is rung.
func TestFlowsOfOneInstanceRingOnce(t *testing.T) {
	story(t, func(b *bench) {
		phone := b.peer(phoneAt)
		phone.register(1)
		challenge := phone.expect("401")
		for n, contact := range []string{"192.168.1.7:5061>;reg-id=1", "192.168.1.7:5062>;reg-id=2"} {
			if n > 0 {
				phone.register(10 * n)
				challenge = phone.expect("401")
			}
			phone.register(10*n+2, credentials(t, challenge, "REGISTER", "sip:10.0.0.1", "secret"),
				`Contact: <sip:alice@`+contact+`;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"`)
			phone.expect("200")
		}
		var got []string
		for _, x := range b.ep.Bindings("alice") {
			got = append(got, x.Contact)
		}
		if len(got) != 2 || !slices.Contains(got, "sip:alice@192.168.1.7:5062") { // one without an instance, one flow
			t.Errorf("%q", got)
		}
	})
}
