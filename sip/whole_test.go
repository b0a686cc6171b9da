package sip_test

import (
	"bufio"
	"net"
	"strings"
	"testing"

	"b2bua/sip"
)

// Whole calls by IPv6, in either direction: the address is in brackets wherever
// it stands in a URI (RFC 5118 §4.1).
func TestWholeCallsByIPv6(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			b := &bench{t: t}
			taken := make(chan *owner, 1)
			ep, addrs := serve(t, handle(func(in *sip.Invitation) {
				o := b.owner()
				o.leg = in.Take(o.loop.Post, o.on)
				taken <- o
			}), network+"://[::1]:0")
			b.ep = ep
			at := addrs[0].String()
			conn, err := net.Dial(network, at)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			far := &handset{stream: &stream{t, conn, bufio.NewReader(conn)}, network: strings.ToUpper(network),
				sentBy: conn.LocalAddr().String(), contact: "sip:far@" + conn.LocalAddr().String(), home: "sip:" + at}
			if network == "tcp" {
				far.contact += ";transport=tcp"
			}
			target := far.calls(func() *owner { return <-taken })
			if !strings.Contains(target, "@"+at) {
				t.Errorf("contact %s", target)
			}

			// And out: over TCP by a connection of ours.
			if network == "tcp" {
				l, err := net.Listen("tcp", "[::1]:0")
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				far.contact = "sip:far@" + l.Addr().String() + ";transport=tcp"
				o := b.dial(sip.Dial{To: "far", Target: sip.Target{URI: far.contact}})
				conn, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				far.stream = &stream{t, conn, bufio.NewReader(conn)}
				far.reached(o, at)
				return
			}
			far.reached(b.dial(sip.Dial{To: "far", Target: sip.Target{URI: far.contact}}), at)
		})
	}
}

// reached is isCalled by a switch at an address.
func (h *handset) reached(o *owner, at string) {
	h.t.Helper()
	inv := h.isCalled(o)
	if !strings.Contains(inv.get("Via"), " "+at+";") || !strings.Contains(inv.get("Contact"), at) {
		h.t.Errorf("%+v", inv)
	}
}
