package sip

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	lookupTime = 4 * time.Second
	nameFresh  = time.Minute
	nameUsable = time.Hour // how long an old address is better than none
	maxNames   = 4096
)

// names looks host names up, always in the background, and remembers them.
type names struct {
	mu    sync.Mutex
	known map[string]known
	asked map[string][]func(netip.Addr, error) // who waits for the same lookup
}

type known struct {
	addr netip.Addr
	at   time.Time
}

func newNames() *names {
	return &names{known: map[string]known{}, asked: map[string][]func(netip.Addr, error){}}
}

// lookup calls back once, at once when the name is known well enough.
func (n *names) lookup(e *Endpoint, host string, done func(netip.Addr, error)) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		done(addr.Unmap(), nil)
		return
	}
	if !isHost(host) {
		done(netip.Addr{}, fmt.Errorf("resolve %q: not a host name", host))
		return
	}
	n.mu.Lock()
	if k, ok := n.known[host]; ok && time.Since(k.at) < nameFresh {
		n.mu.Unlock()
		done(k.addr, nil)
		return
	}
	n.asked[host] = append(n.asked[host], done)
	begin := len(n.asked[host]) == 1
	n.mu.Unlock()
	if begin {
		e.background(func() { n.resolve(e, host) })
	}
}

func (n *names) resolve(e *Endpoint, host string) {
	ctx, cancel := context.WithTimeout(e.ctx, lookupTime)
	defer cancel()
	addrs, err := e.cfg.Resolve(ctx, host)
	var addr netip.Addr
	for _, a := range addrs {
		// An address we have a socket for; IPv4 first, as listed otherwise.
		if a = a.Unmap(); !addr.IsValid() || !addr.Is4() && a.Is4() {
			addr = a
		}
	}
	n.mu.Lock()
	old, had := n.known[host]
	switch {
	case err == nil && addr.IsValid():
		if len(n.known) >= maxNames {
			clear(n.known)
		}
		n.known[host] = known{addr, time.Now()}
	case had && time.Since(old.at) < nameUsable:
		addr, err = old.addr, nil
	case err == nil:
		err = fmt.Errorf("resolve %q: no address", host)
	default:
		err = fmt.Errorf("resolve %q: %w", host, err)
	}
	waiting := n.asked[host]
	delete(n.asked, host)
	n.mu.Unlock()
	for _, done := range waiting {
		done(addr, err)
	}
}
