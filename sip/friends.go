package sip

import (
	"net/netip"
	"sync"
)

// friends are those we have legs with. A trunk may be dialled that never calls,
// so its address says nothing; its responses must not be limited.
type friends struct {
	mu    sync.RWMutex
	addrs map[netip.Addr]int
	ports map[netip.AddrPort]int
}

func newFriends() *friends {
	return &friends{addrs: map[netip.Addr]int{}, ports: map[netip.AddrPort]int{}}
}

func (f *friends) has(a netip.Addr) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.addrs[a.Unmap()] > 0
}

// at tells one of them from others behind the same address.
func (f *friends) at(a netip.AddrPort) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.ports[unmapped(a)] > 0
}

func (f *friends) enter(a netip.AddrPort) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a = unmapped(a)
	f.addrs[a.Addr()]++
	f.ports[a]++
}

func (f *friends) leave(a netip.AddrPort) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a = unmapped(a)
	if f.addrs[a.Addr()]--; f.addrs[a.Addr()] <= 0 {
		delete(f.addrs, a.Addr())
	}
	if f.ports[a]--; f.ports[a] <= 0 {
		delete(f.ports, a)
	}
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
