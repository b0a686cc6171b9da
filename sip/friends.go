package sip

import (
	"net/netip"
	"sync"
)

// friends are the addresses we have legs with. A trunk may be dialled that never
// calls, so its address says nothing; its responses must not be limited.
type friends struct {
	mu sync.RWMutex
	n  map[netip.Addr]int
}

func newFriends() *friends { return &friends{n: map[netip.Addr]int{}} }

func (f *friends) has(a netip.Addr) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.n[a.Unmap()] > 0
}

func (f *friends) enter(a netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n[a.Unmap()]++
}

func (f *friends) leave(a netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a = a.Unmap()
	if f.n[a]--; f.n[a] <= 0 {
		delete(f.n, a)
	}
}
