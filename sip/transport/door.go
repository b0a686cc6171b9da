package transport

import (
	"net/netip"
	"sync"
)

const (
	maxConns           = 8192
	reservedConns      = 1024 // of these, for trusted sources only
	maxStrangers       = 2048 // connections over which nobody has proved anything
	maxStrangersSource = 64   // of these, from one address
)

// Door lets connections in, few of strangers. One Door may serve several Ports.
type Door struct {
	mu        sync.Mutex
	in        int
	strangers int
	from      map[netip.Addr]int // strangers by source
}

// NewDoor makes a door that nobody has come through.
func NewDoor() *Door { return &Door{from: map[netip.Addr]int{}} }

// enter reports whether a connection may come in.
func (d *Door) enter(c *Conn) bool {
	source := c.key.remote.Addr()
	owner := c.port.cfg.Owner
	if owner.Blocked(source) {
		return false
	}
	c.known = owner.Trusted(source)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.in >= maxConns:
		return false
	case c.known:
	case d.in >= maxConns-reservedConns, d.strangers >= maxStrangers, d.from[household(source)] >= maxStrangersSource:
		return false
	}
	d.in++
	d.count(c, +1)
	return true
}

func (d *Door) leave(c *Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.in--
	d.count(c, -1)
}

// count keeps the numbers of strangers; mu is held.
func (d *Door) count(c *Conn, n int) {
	if c.known {
		return
	}
	d.strangers += n
	from := household(c.key.remote.Addr())
	if d.from[from] += n; d.from[from] == 0 {
		delete(d.from, from)
	}
}

// judge looks again at whose a connection is: a message may have made it that of
// a registered phone, or of a call.
func (d *Door) judge(c *Conn) {
	if c.dialled {
		return
	}
	owner := c.port.cfg.Owner
	known := owner.Keeps(c) > 0 || owner.Trusted(c.key.remote.Addr())
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.known != known && c.port.has(c) {
		d.count(c, -1)
		c.known = known
		d.count(c, +1)
	}
}

// knows reports whether the far end is a trunk, or has proved to be a device.
func (d *Door) knows(c *Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return c.known
}

// household is who has an address: of IPv6 a host has a whole /64.
func household(a netip.Addr) netip.Addr {
	if a.Is6() && !a.Is4In6() {
		p, _ := a.WithZone("").Prefix(64) // 64 is always within an IPv6 address
		return p.Addr()
	}
	return a
}
