package call

import (
	"testing"

	"b2bua/flows"
	"b2bua/sip"
)

// A redirect says where to go, and never takes the encryption of a trunk away.
func TestContactURI(t *testing.T) {
	for _, c := range []struct{ contact, uri, transport, want string }{
		{"sip:1@192.0.2.9", "sip:192.0.2.1", "", "sip:192.0.2.9"},
		{"sip:1@192.0.2.9:5080;transport=tcp", "sip:192.0.2.1", "", "sip:192.0.2.9:5080;transport=tcp"},
		{"sip:1@192.0.2.9", "sip:192.0.2.1", "tcp", "sip:192.0.2.9;transport=tcp"},
		{"sip:1@192.0.2.9", "sip:192.0.2.1", "tls", "sip:192.0.2.9;transport=tls"},
		{"sip:1@192.0.2.9;transport=udp", "sip:192.0.2.1", "tls", "sip:192.0.2.9;transport=tls"},
		{"sip:1@192.0.2.9;transport=tcp", "sip:192.0.2.1;transport=TLS", "", "sip:192.0.2.9;transport=tls"},
		{"sip:1@192.0.2.9;transport=sctp", "sips:192.0.2.1", "", "sip:192.0.2.9;transport=tls"},
		{"sip:1@[2001:db8::9]", "sip:192.0.2.1", "udp", "sip:[2001:db8::9];transport=udp"},
	} {
		to, ok := sip.ParseContact(c.contact)
		if !ok {
			t.Fatal(c.contact)
		}
		if got := contactURI(to, &flows.TrunkOutbound{URI: c.uri, Transport: c.transport}); got != c.want {
			t.Errorf("%s by %s %s: %s, want %s", c.contact, c.uri, c.transport, got, c.want)
		}
	}
}
