package media

import (
	"net"
	"net/netip"
	"slices"
)

// own are the addresses at which this engine's ports are. Whoever aims a leg at
// another one has the switch talk to itself, for ever and as fast as it can.
type own struct {
	ports    *ports
	hosts    []netip.Addr
	loopback bool // all loopback addresses are ours
}

func newOwn(cfg Config, p *ports) own {
	o := own{ports: p, hosts: []netip.Addr{cfg.Advertise.Unmap(), cfg.Bind.Unmap()}}
	o.loopback = cfg.Listen == nil || cfg.Advertise.IsLoopback()
	if cfg.Listen != nil {
		return o // a network of its own
	}
	local, _ := net.InterfaceAddrs() // without them those above are still known
	for _, a := range local {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				o.hosts = append(o.hosts, ip.Unmap())
			}
		}
	}
	return o
}

// has says whether an address is one of a port that we hold. Other programs of
// this machine may have the rest of the range.
func (o *own) has(a netip.AddrPort) bool {
	if !o.ports.holds(a.Port()) {
		return false
	}
	ip := a.Addr().Unmap()
	return o.loopback && ip.IsLoopback() || slices.Contains(o.hosts, ip)
}
