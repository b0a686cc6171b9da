package locate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Config is what a Resolver needs to know. The zero value asks the servers of
// /etc/resolv.conf, and the system for addresses.
type Config struct {
	// Servers are the DNS servers, "address:port". Empty: those of
	// /etc/resolv.conf for NAPTR and SRV, and the system's resolver with its
	// /etc/hosts for addresses.
	Servers []string
	// Transports are those that we can send by, the preferred one first: udp,
	// tcp, tls. Empty means udp, tcp.
	Transports []string
	// Usable reports whether there is a socket for an address; nil takes all.
	// Addresses that are not usable are left out when there are others.
	Usable func(transport string, addr netip.Addr) bool

	// Hosts replaces the lookup of addresses. Alone, without Servers or Exchange,
	// it is the only source: no NAPTR or SRV record is asked for.
	Hosts func(ctx context.Context, host string) ([]netip.Addr, error)
	// Exchange replaces the network: one question to one server over udp or tcp.
	Exchange func(ctx context.Context, query *dns.Msg, server, network string) (*dns.Msg, error)
	// Now replaces time.Now, Rand a uniform choice of 0 to n-1.
	Now  func() time.Time
	Rand func(n int) int
}

func (c Config) withDefaults() Config {
	if len(c.Transports) == 0 {
		c.Transports = []string{"udp", "tcp"}
	}
	if c.Hosts == nil && c.Exchange == nil && len(c.Servers) == 0 {
		c.Hosts = systemHosts
	}
	if c.Usable == nil {
		c.Usable = func(string, netip.Addr) bool { return true }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.IntN
	}
	return c
}

// records reports whether NAPTR and SRV records are asked for.
func (c Config) records() bool {
	return c.Hosts == nil || c.Exchange != nil || len(c.Servers) > 0
}

// Validate reports everything that is wrong with c.
func (c Config) Validate() error {
	var errs []error
	for i, s := range c.Servers {
		if at, err := netip.ParseAddrPort(s); err != nil || at.Port() == 0 {
			errs = append(errs, fmt.Errorf("dns server %d: %q is not an address and a port, such as 192.0.2.53:53", i, s))
		}
	}
	for _, t := range c.Transports {
		if !slices.Contains([]string{"udp", "tcp", "tls", "ws", "wss"}, t) {
			errs = append(errs, fmt.Errorf("dns: %q is no transport of SIP", t))
		}
	}
	return errors.Join(errs...)
}

// systemHosts asks as every other program of this machine does.
func systemHosts(ctx context.Context, host string) ([]netip.Addr, error) {
	if strings.Contains(host, ".") {
		host += "." // no search list
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}
