package sip

import (
	"net/netip"
)

// flow is a way for messages: a socket of ours and an address of theirs.
type flow struct {
	sock   *socket
	remote netip.AddrPort // over TCP the far end of the connection
	alt    netip.AddrPort // over TCP where to connect when that connection is gone
}

func (f flow) reliable() bool { return f.sock.network != "udp" }

// send never waits. of is the transaction whose request this is, or nil: it
// fails, on a goroutine of its own, when the message certainly did not go out.
func (f flow) send(data []byte, of *clientTx) {
	if f.sock.network == "udp" {
		if err := f.sock.write(data, f.remote); err != nil && of != nil {
			f.sock.ep.background(func() { of.fail(err) })
		}
		return
	}
	f.sock.streams.send(unsent{f, data, of})
}

// via is our Via value for a new transaction over this flow. rport asks for the
// answer to come back the way the request went (RFC 3581 §3).
func (f flow) via(branch string) string {
	transport := "UDP"
	if f.sock.network != "udp" {
		transport = "TCP"
	}
	return "SIP/2.0/" + transport + " " + f.hostport() + ";branch=" + branch + ";rport"
}

// contact is our Contact, where requests of the far end reach this dialog.
func (f flow) contact(user string) string {
	uri := "<sip:"
	if user != "" {
		uri += escapeUser(user) + "@"
	}
	uri += f.hostport()
	if f.sock.network != "udp" {
		uri += ";transport=" + f.sock.network
	}
	return uri + ">"
}

func (f flow) hostport() string {
	return hostText(f.sock.host(f.remote.Addr())) + ":" + f.sock.port
}
