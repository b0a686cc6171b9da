package sip

import (
	"net/netip"
	"strings"

	"b2bua/sip/transport"

	sipmsg "github.com/emiago/sipgo/sip"
)

// flow is a way for messages: a socket of ours and an address of theirs.
type flow struct {
	sock   *socket
	remote netip.AddrPort // of a connection the far end of it

	// Of connections:
	alt      netip.AddrPort // where to connect when that connection is gone; invalid: nowhere
	name     string         // who the far end must prove to be over TLS (RFC 5922)
	insecure bool           // or need not
	accepted bool           // remote has connected to us
}

func (f flow) reliable() bool { return f.sock.network != "udp" }

// send never waits. of is the transaction whose request this is, or nil: it
// fails, on a goroutine of its own, when the message certainly did not go out.
func (f flow) send(data []byte, of *clientTx) {
	f.sock.sent(data, f.remote)
	if f.sock.network == "udp" {
		if err := f.sock.write(data, f.remote); err != nil && of != nil {
			f.sock.ep.background(func() { of.fail(err) })
		}
		return
	}
	if of == nil {
		f.sock.conns.Send(f.way(), data, nil)
		return
	}
	f.sock.conns.Send(f.way(), data, sender{of, f.sock})
}

func (f flow) way() transport.Way {
	return transport.Way{Remote: f.remote, Dial: f.alt, Name: f.name, Insecure: f.insecure, Accepted: f.accepted}
}

// there reports whether the connection that messages go by exists.
func (f flow) there() bool { return !f.reliable() || f.sock.conns.Has(f.way()) }

// via is our Via value for a new transaction over this flow. rport asks for the
// answer to come back the way the request went (RFC 3581 §3).
func (f flow) via(branch string) string {
	return "SIP/2.0/" + strings.ToUpper(f.sock.network) + " " + f.hostport() + ";branch=" + branch + ";rport"
}

// contact is our Contact, where requests of the far end reach this dialog.
func (f flow) contact(user string) string { return f.contactFor("sip", user) }

// contactFor a dialog whose Request-URI has a scheme: that of sips has a sips
// Contact (RFC 3261 §12.1.1). RFC 7118 has no transport=wss.
func (f flow) contactFor(scheme, user string) string {
	secure := scheme == "sips" && f.sock.secure()
	uri := "<sip:"
	if secure {
		uri = "<sips:"
	}
	if user != "" {
		uri += escapeUser(user) + "@"
	}
	uri += f.hostport()
	switch network := f.sock.network; {
	case transport.Web(network):
		uri += ";transport=ws"
	case network != "udp" && !secure:
		uri += ";transport=" + network
	}
	return uri + ">"
}

func (f flow) hostport() string {
	return hostText(f.sock.host(f.remote.Addr())) + ":" + f.sock.port
}

// as is the way to a target that says who it must prove to be.
func (f flow) as(t Target) flow {
	if t.TLSName != "" {
		f.name = t.TLSName
	}
	f.insecure = t.Insecure
	return f
}

// networkOf is the transport that a URI asks for, or "" (RFC 3261 §26.2.2: sips
// over TCP is TLS).
func networkOf(u sipmsg.Uri) string {
	t, _ := param(u.UriParams, "transport")
	t = strings.ToLower(t)
	if !strings.EqualFold(u.Scheme, "sips") {
		return t
	}
	switch t {
	case "", "tcp", "tls":
		return "tls"
	case "ws", "wss":
		return "wss"
	}
	return "none" // a datagram cannot be sips
}

// portOf is where a URI's host is asked.
func portOf(u sipmsg.Uri, network string) uint16 {
	switch {
	case u.Port > 0 && u.Port < 1<<16:
		return uint16(u.Port)
	case transport.Secure(network):
		return 5061
	}
	return 5060
}

// nameFor is who a URI's host must prove to be (RFC 5922 §7.2): the name written
// there, never what DNS answered.
func (s *socket) nameFor(u sipmsg.Uri) string {
	if !s.secure() {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(u.Host, "[]"), "."))
}

// flowOf is the way a device registered: through its NAT, which knows only the
// socket it registered at, or over its connection.
func (e *Endpoint) flowOf(b *Binding) flow {
	for _, s := range e.sockets {
		if s.network == b.Transport && s.local() == b.Local {
			return flow{sock: s, remote: b.Source, accepted: true}
		}
	}
	sock := e.socketFor(b.Transport, b.Source.Addr())
	return flow{sock: sock, remote: b.Source, accepted: true}
}

// flowTo chooses the way to an address that a URI names.
func (e *Endpoint) flowTo(u sipmsg.Uri, addr netip.Addr, peer flow) flow {
	network := peer.sock.network
	if transport.Web(network) {
		return peer // a browser has no address (RFC 7118 §5)
	}
	if t := networkOf(u); t != "" {
		network = t
	}
	return e.flowNear(u, network, netip.AddrPortFrom(addr, portOf(u, network)), peer)
}

// flowNear is the way to an address of the host that somebody at peer has named.
func (e *Endpoint) flowNear(u sipmsg.Uri, network string, to netip.AddrPort, peer flow) flow {
	addr := to.Addr()
	// Behind NAT a phone names an address that only it can see.
	hidden := addr.IsUnspecified() || private(addr) && !private(peer.remote.Addr())
	sock := peer.sock
	if network != sock.network {
		sock = e.socketFor(network, addr)
	}
	if hidden || sock == nil || transport.Web(network) {
		return peer
	}
	if sock.network == "udp" {
		return flow{sock: sock, remote: to}
	}
	way := flow{sock: sock, remote: to, alt: to, name: sock.nameFor(u), insecure: peer.insecure}
	if _, err := netip.ParseAddr(way.name); err == nil && peer.name != "" {
		way.name = peer.name // who has proved a name, and gives an address, is to prove it there
	}
	switch {
	case sock != peer.sock:
	case peer.accepted && peer.remote.Addr() == addr:
		// The connection there is, while it lasts (RFC 5923). Its far end has no
		// port that anybody would name.
		way.remote, way.accepted = peer.remote, true
	case peer.remote == to:
		way.name = peer.name
	}
	return way
}

func private(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast()
}
