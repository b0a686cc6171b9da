package memnet

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// Conn is one bound address. Its methods may be called from any goroutine.
type Conn struct {
	network *Network
	at      netip.AddrPort

	mu       sync.Mutex
	waiting  []packet // by due time; see packet.before
	sequence uint64
	deadline time.Time
	closed   bool
	changed  chan struct{} // closed and replaced at every change a reader may wait for
}

var _ net.PacketConn = (*Conn)(nil)

type packet struct {
	due     time.Time
	from    netip.AddrPort
	n       uint64 // order of arrival at the queue, which keeps one sender's order
	payload []byte
	swapped bool // to be overtaken by the sender's next
}

func (p packet) before(q packet) int {
	if c := p.due.Compare(q.due); c != 0 {
		return c
	}
	if c := p.from.Compare(q.from); c != 0 {
		return c
	}
	if p.n < q.n {
		return -1
	}
	return 1
}

func newConn(n *Network, at netip.AddrPort) *Conn {
	return &Conn{network: n, at: at, changed: make(chan struct{})}
}

// LocalAddr is a *net.UDPAddr.
func (c *Conn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.at) }

// AddrPort is the bound address.
func (c *Conn) AddrPort() netip.AddrPort { return c.at }

// ReadFromUDPAddrPort waits for the next datagram. As with UDP, what does not
// fit into b is lost.
func (c *Conn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		c.mu.Lock()
		now := time.Now()
		switch {
		case c.closed:
			c.mu.Unlock()
			return 0, netip.AddrPort{}, opError("read", c.at, net.ErrClosed)
		case !c.deadline.IsZero() && !now.Before(c.deadline):
			c.mu.Unlock()
			return 0, netip.AddrPort{}, opError("read", c.at, os.ErrDeadlineExceeded)
		case len(c.waiting) > 0 && !c.waiting[0].due.After(now):
			p := c.waiting[0]
			c.waiting = slices.Delete(c.waiting, 0, 1)
			c.mu.Unlock()
			return copy(b, p.payload), p.from, nil
		}
		changed, until := c.changed, c.wakeAt()
		c.mu.Unlock()
		wait(changed, until, now)
	}
}

// wakeAt is when a reader has to look again, zero for never; mu is held.
func (c *Conn) wakeAt() time.Time {
	until := c.deadline
	if len(c.waiting) > 0 && (until.IsZero() || c.waiting[0].due.Before(until)) {
		until = c.waiting[0].due
	}
	return until
}

func wait(changed <-chan struct{}, until, now time.Time) {
	if until.IsZero() {
		<-changed
		return
	}
	t := time.NewTimer(until.Sub(now))
	defer t.Stop()
	select {
	case <-changed:
	case <-t.C:
	}
}

// ReadFrom is ReadFromUDPAddrPort with a *net.UDPAddr.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteToUDPAddrPort sends a datagram. It succeeds also when nobody gets it.
func (c *Conn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	switch {
	case closed:
		return 0, opError("write", c.at, net.ErrClosed)
	case len(b) > maxPayload:
		return 0, opError("write", c.at, ErrTooLong)
	}
	c.network.send(c.at, netip.AddrPortFrom(to.Addr().Unmap(), to.Port()), b)
	return len(b), nil
}

// WriteTo takes any address that prints as "ip:port".
func (c *Conn) WriteTo(b []byte, to net.Addr) (int, error) {
	if u, ok := to.(*net.UDPAddr); ok {
		return c.WriteToUDPAddrPort(b, u.AddrPort())
	}
	at, err := netip.ParseAddrPort(to.String())
	if err != nil {
		return 0, opError("write", c.at, err)
	}
	return c.WriteToUDPAddrPort(b, at)
}

// SetReadDeadline ends waiting readers at t; zero means never.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return opError("set", c.at, net.ErrClosed)
	}
	c.deadline = t
	c.wake()
	return nil
}

// SetDeadline is SetReadDeadline: writes never wait.
func (c *Conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetWriteDeadline does nothing: writes never wait.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }

// Close frees the address and ends every waiting read with net.ErrClosed.
func (c *Conn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return opError("close", c.at, net.ErrClosed)
	}
	c.closed = true
	c.waiting = nil
	c.wake()
	c.mu.Unlock()
	c.network.forget(c)
	return nil
}

// push queues a datagram and reports whether there was room.
func (c *Conn) push(d Datagram, latency time.Duration, limit int, swapped bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.waiting) >= limit {
		return false
	}
	p := packet{due: d.At.Add(latency), from: d.From, payload: slices.Clone(d.Payload), swapped: swapped}
	behind := c.overtaken(d.From)
	if swapped {
		p.due = p.due.Add(SwapLimit)
	}
	c.insert(p)
	for _, q := range behind {
		q.due, q.swapped = p.due, false
		c.insert(q)
	}
	return true
}

// overtaken takes the swapped datagrams of a sender off the queue; mu is held.
func (c *Conn) overtaken(from netip.AddrPort) (behind []packet) {
	c.waiting = slices.DeleteFunc(c.waiting, func(p packet) bool {
		if p.swapped && p.from == from {
			behind = append(behind, p)
			return true
		}
		return false
	})
	return behind
}

// insert puts a packet behind all that were put there before and are due by the
// same time; mu is held.
func (c *Conn) insert(p packet) {
	c.sequence++
	p.n = c.sequence
	i, _ := slices.BinarySearchFunc(c.waiting, p, packet.before)
	c.waiting = slices.Insert(c.waiting, i, p)
	if i == 0 {
		c.wake()
	}
}

// wake lets every reader look again; mu is held.
func (c *Conn) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}
