package sip

import (
	"net/netip"
	"testing"
)

// What was proved over TLS is not shown in the clear, nor to anybody else.
func TestProofsStayWhereTheyWereShown(t *testing.T) {
	over := func(network, host string) flow {
		return flow{sock: &socket{network: network}, remote: netip.AddrPortFrom(netip.MustParseAddr(host), 5060)}
	}
	for _, c := range []struct {
		shown, next flow
		want        bool
	}{
		{over("udp", "192.0.2.1"), over("udp", "192.0.2.1"), true},
		{over("udp", "192.0.2.1"), over("tls", "192.0.2.1"), true},
		{over("tls", "192.0.2.1"), over("tls", "192.0.2.1"), true},
		{over("tls", "192.0.2.1"), over("wss", "192.0.2.1"), true},
		{over("tls", "192.0.2.1"), over("tcp", "192.0.2.1"), false},
		{over("wss", "192.0.2.1"), over("udp", "192.0.2.1"), false},
		{over("udp", "192.0.2.1"), over("udp", "192.0.2.2"), false},
		{over("tls", "192.0.2.1"), over("tls", "192.0.2.2"), false},
	} {
		if got := c.next.keepsProofsOf(c.shown); got != c.want {
			t.Errorf("%s %s, then %s %s: %t", c.shown.sock.network, c.shown.remote, c.next.sock.network, c.next.remote, got)
		}
	}
}
