package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"b2bua/sip/locate"

	sipmsg "github.com/emiago/sipgo/sip"
)

// newLocator makes what finds the hosts of URIs (RFC 3263).
func (e *Endpoint) newLocator() (*locate.Resolver, error) {
	cfg := e.cfg.DNS
	if e.cfg.Resolve != nil {
		cfg.Hosts = e.cfg.Resolve
	}
	cfg.Transports = nil
	for _, network := range []string{"udp", "tcp", "tls"} { // WebSockets only come in
		for _, l := range e.cfg.Listen {
			if strings.HasPrefix(l, network+"://") {
				cfg.Transports = append(cfg.Transports, network)
				break
			}
		}
	}
	cfg.Usable = func(transport string, addr netip.Addr) bool { return e.socketFor(transport, addr) != nil }
	return locate.New(cfg)
}

// questionOf is the part of a URI that says where requests for it go.
func questionOf(u sipmsg.Uri) locate.Question {
	transport, _ := param(u.UriParams, "transport")
	return locate.Question{Host: u.Host, Port: u.Port, Transport: transport, Secure: strings.EqualFold(u.Scheme, "sips")}
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// locate calls back once: at once for an address, else in the background, for a
// lookup may take seconds.
func (e *Endpoint) locate(q locate.Question, done func([]locate.Target, error)) {
	if isAddress(q.Host) {
		done(e.locator.Locate(e.ctx, q))
		return
	}
	e.background(func() { done(e.locator.Locate(e.ctx, q)) })
}

// waysTo finds the ways to a URI in the order in which they are to be tried.
func (e *Endpoint) waysTo(u sipmsg.Uri, done func([]flow, error)) {
	e.locate(questionOf(u), func(targets []locate.Target, err error) {
		var ways []flow
		for _, t := range targets {
			if way := e.flowAt(u, t); way.sock != nil {
				ways = append(ways, way)
			}
		}
		if err == nil && len(ways) == 0 {
			err = fmt.Errorf("%s: no listener for this transport and address family; add one to sip.listen", uriText(u))
		}
		done(ways, err)
	})
}

// flowAt is the way to a target of a URI; the zero flow when we have no such socket.
func (e *Endpoint) flowAt(u sipmsg.Uri, t locate.Target) flow {
	sock := e.socketFor(t.Transport, t.Addr.Addr())
	switch {
	case sock == nil:
		return flow{}
	case t.Transport == "udp":
		return flow{sock: sock, remote: t.Addr}
	}
	return flow{sock: sock, remote: t.Addr, alt: t.Addr, name: sock.nameFor(u)}
}

// target is the address that a flow leads to, for the locator's memory.
func (f flow) target() locate.Target {
	t := locate.Target{Transport: f.sock.network, Addr: f.remote}
	if f.alt.IsValid() {
		t.Addr = f.alt
	}
	return t
}

// Addresses gives every address that a domain's requests may come from: its own
// and those of the servers that DNS names for it.
func (e *Endpoint) Addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	return e.locator.Addresses(ctx, host)
}

// failed remembers that nobody takes requests there; wait is what a Retry-After
// says, or 0.
func (e *Endpoint) failed(way flow, wait time.Duration) { e.locator.Avoid(way.target(), wait) }
func (e *Endpoint) worked(way flow)                     { e.locator.Worked(way.target()) }

// ours reports whether a host is a name or an address of this switch.
func (e *Endpoint) ours(host string) bool {
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, strings.Trim(e.cfg.Advertise, "[]")) || strings.EqualFold(host, e.cfg.Realm) {
		return true
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	addr = addr.Unmap()
	for _, s := range e.sockets {
		if s.bound == addr {
			return true
		}
		if s.bound.IsUnspecified() && local(addr) {
			return true
		}
	}
	return false
}

// local reports whether an interface of this host has the address.
func local(addr netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap() == addr {
			return true
		}
	}
	return false
}
