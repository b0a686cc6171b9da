package sip

import (
	"net"
	"net/netip"
	"sync"
)

// routes remembers which address of ours packets to an address leave from.
type routes struct {
	mu    sync.Mutex
	known map[netip.Addr]netip.Addr
}

const maxRoutesKnown = 4096

func (r *routes) to(remote netip.Addr) netip.Addr {
	r.mu.Lock()
	from, ok := r.known[remote]
	r.mu.Unlock()
	if ok {
		return from
	}
	from = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	// Connecting a UDP socket sends nothing; it asks the kernel for the route.
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(remote, 9)))
	if err == nil {
		from = c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
		_ = c.Close()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil || len(r.known) >= maxRoutesKnown {
		r.known = map[netip.Addr]netip.Addr{}
	}
	r.known[remote] = from
	return from
}

// socketFor finds the socket that can reach an address, or nil. Of several, the
// one bound to the address that the route begins at is the right one.
func (e *Endpoint) socketFor(network string, to netip.Addr) *socket {
	var fit []*socket
	for _, s := range e.sockets {
		if s.network != network {
			continue
		}
		if both := s.bound.Is6() && s.bound.IsUnspecified(); both || s.bound.Is4() == to.Is4() {
			fit = append(fit, s)
		}
	}
	switch len(fit) {
	case 0:
		return nil
	case 1:
		return fit[0]
	}
	from := e.routes.to(to)
	best, score := fit[0], -1
	for _, s := range fit {
		n := 0
		switch {
		case s.bound == from:
			n = 3
		case s.bound.IsUnspecified():
			n = 2
		case s.bound.IsLoopback() == to.IsLoopback():
			n = 1
		}
		if n > score {
			best, score = s, n
		}
	}
	return best
}
