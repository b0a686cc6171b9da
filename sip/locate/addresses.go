package locate

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
)

// Addresses gives every address that requests from a domain may come from: its
// own and those of the hosts in its SRV records, whatever the transport.
func (r *Resolver) Addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, ok := numeric(host); ok {
		return []netip.Addr{addr}, nil
	}
	name, err := hostName(host)
	if err != nil {
		return nil, fmt.Errorf("locate %q: %w", host, err)
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	at := []hostport{{host: name}}
	if r.cfg.records() {
		at = append(at, r.offering(ctx, name)...)
	}
	targets, err := r.hosts(ctx, name, "", at)
	if err != nil {
		return nil, fmt.Errorf("locate %q: %w", host, err)
	}
	var addrs []netip.Addr
	for _, t := range targets {
		if a := t.Addr.Addr(); !slices.Contains(addrs, a) {
			addrs = append(addrs, a)
		}
	}
	return addrs, nil
}

// offering are the hosts in the SRV records of the three transports.
func (r *Resolver) offering(ctx context.Context, name string) []hostport {
	var asked sync.WaitGroup
	defer asked.Wait()
	var found []func() (answer, error)
	for _, prefix := range service {
		found = append(found, r.begin(ctx, &asked, key{prefix + "." + name, typeSRV}))
	}
	var at []hostport
	for _, f := range found {
		a, _ := f() // a domain need not have any
		for _, s := range a.srv {
			h := hostport{host: s.host}
			if s.host != "" && len(at) < maxSRV && !slices.Contains(at, h) {
				at = append(at, h)
			}
		}
	}
	return at
}
