package media

import (
	"net"
	"net/netip"
	"slices"
)

// own are the addresses at which this engine's ports are. Whoever aims a leg at
// another one has the switch talk to itself, for ever and as fast as it can.
type own struct {
	min, max uint16
	hosts    []netip.Addr
	loopback bool // all loopback addresses are ours
}

func newOwn(cfg Config) own {
	o := own{min: uint16(cfg.PortMin), max: uint16(cfg.PortMax), hosts: []netip.Addr{cfg.Advertise.Unmap(), cfg.Bind.Unmap()}}
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

// has says whether an address is one of a port of ours. Other programs of this
// machine have ports outside of the range.
func (o *own) has(a netip.AddrPort) bool {
	if a.Port() < o.min || a.Port() > o.max {
		return false
	}
	ip := a.Addr().Unmap()
	return o.loopback && ip.IsLoopback() || slices.Contains(o.hosts, ip)
}
