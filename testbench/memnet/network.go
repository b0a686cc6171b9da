package memnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Datagram is what is sent, as the hooks see it.
type Datagram struct {
	N       int // counts the datagrams of the network from 1, lost ones too
	From    netip.AddrPort
	To      netip.AddrPort
	Payload []byte // valid during the hook only
	At      time.Time
	Lost    bool // Observe only: dropped, no listener, or queue full
}

const (
	// DefaultLatency is one way. It is not zero because that is what makes the
	// order of delivery independent of the scheduler.
	DefaultLatency = time.Millisecond
	// DefaultQueue is how many datagrams wait for one reader before more are lost.
	DefaultQueue = 4096
	// SwapLimit is how long a swapped datagram waits for the one that overtakes it.
	SwapLimit = 3 * time.Second

	maxPayload     = 65507 // what fits an IPv4 UDP datagram
	firstEphemeral = 40000
)

// Network carries datagrams between its Conns. The exported fields are set
// before the first Conn sends and not changed afterwards.
type Network struct {
	// Latency is the one-way delay of every datagram.
	Latency time.Duration
	// Delay, when set, replaces Latency for each datagram: jitter, reordering.
	Delay func(Datagram) time.Duration
	// Drop loses the datagrams it returns true for. It is called once for each
	// datagram, one at a time.
	Drop func(Datagram) bool
	// Duplicate delivers the datagrams it returns true for twice, the second time
	// after twice the delay.
	Duplicate func(Datagram) bool
	// Swap has the datagrams it returns true for overtaken by the next one from
	// the same sender to the same address. Those that none follows for SwapLimit
	// arrive then.
	Swap func(Datagram) bool
	// Observe sees every datagram as it is sent, one at a time, also lost ones.
	Observe func(Datagram)
	// Queue bounds the datagrams that wait for one reader.
	Queue int

	hooks sync.Mutex // one hook at a time, in the order of N
	mu    sync.Mutex
	conns map[netip.AddrPort]*Conn
	next  uint16
	sent  int

	doors   map[netip.AddrPort]*listener
	streams map[*Stream]bool
	port    uint16 // of connections
}

// New makes a network without listeners.
func New() *Network {
	return &Network{
		Latency: DefaultLatency,
		Queue:   DefaultQueue,
		conns:   map[netip.AddrPort]*Conn{},
		next:    firstEphemeral,
		doors:   map[netip.AddrPort]*listener{},
		streams: map[*Stream]bool{},
	}
}

// Listen binds an address. Port 0 picks a free port; an unspecified or invalid
// address means the loopback address of its family.
func (n *Network) Listen(at netip.AddrPort) (*Conn, error) {
	ip := at.Addr().Unmap()
	switch {
	case !ip.IsValid(), ip.Is4() && ip.IsUnspecified():
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case ip.IsUnspecified():
		ip = netip.IPv6Loopback()
	}
	at = netip.AddrPortFrom(ip, at.Port())

	n.mu.Lock()
	defer n.mu.Unlock()
	if at.Port() == 0 {
		free, ok := n.pick(ip)
		if !ok {
			return nil, opError("listen", at, syscall.EADDRNOTAVAIL)
		}
		at = free
	} else if n.conns[at] != nil {
		return nil, opError("listen", at, syscall.EADDRINUSE)
	}
	c := newConn(n, at)
	n.conns[at] = c
	return c, nil
}

// ListenPacket is Listen in the form of net.ListenPacket: the address is
// "host:port", ":port" or "localhost:port".
func (n *Network) ListenPacket(network, addr string) (net.PacketConn, error) {
	switch network {
	case "udp", "udp4", "udp6":
	default:
		return nil, &net.OpError{Op: "listen", Net: network, Err: net.UnknownNetworkError(network)}
	}
	at, err := parse(addr)
	if err != nil {
		return nil, fmt.Errorf("listen %s: %w", network, err)
	}
	c, err := n.Listen(at)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Listeners counts the open Conns, for leak checks.
func (n *Network) Listeners() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.conns)
}

// pick finds a free port, going round; mu is held.
func (n *Network) pick(ip netip.Addr) (netip.AddrPort, bool) {
	for range 1 << 16 {
		port := n.next
		n.next++
		if n.next == 0 {
			n.next = firstEphemeral
		}
		at := netip.AddrPortFrom(ip, port)
		if n.conns[at] == nil {
			return at, true
		}
	}
	return netip.AddrPort{}, false
}

func (n *Network) forget(c *Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conns[c.at] == c {
		delete(n.conns, c.at)
	}
}

// send never blocks on a reader: what does not fit is lost.
func (n *Network) send(from, to netip.AddrPort, payload []byte) {
	n.hooks.Lock()
	defer n.hooks.Unlock()

	n.mu.Lock()
	n.sent++
	d := Datagram{N: n.sent, From: from, To: to, Payload: payload, At: time.Now()}
	c := n.conns[to]
	n.mu.Unlock()

	d.Lost = n.Drop != nil && n.Drop(d)
	if !d.Lost {
		wait := n.Latency
		if n.Delay != nil {
			wait = n.Delay(d)
		}
		wait = max(wait, 0)
		d.Lost = c == nil || !c.push(d, wait, n.Queue, n.Swap != nil && n.Swap(d))
		if !d.Lost && n.Duplicate != nil && n.Duplicate(d) {
			c.push(d, 2*wait, n.Queue, false)
		}
	}
	if n.Observe != nil {
		n.Observe(d)
	}
}

func parse(addr string) (netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return netip.AddrPort{}, &net.AddrError{Err: "invalid port", Addr: addr}
	}
	var ip netip.Addr
	switch host {
	case "", "localhost":
	default:
		if ip, err = netip.ParseAddr(host); err != nil {
			return netip.AddrPort{}, &net.AddrError{Err: "not an IP address", Addr: addr}
		}
	}
	return netip.AddrPortFrom(ip, uint16(port)), nil
}

func opError(op string, at netip.AddrPort, err error) error {
	return &net.OpError{Op: op, Net: "udp", Addr: net.UDPAddrFromAddrPort(at), Err: err}
}

// ErrTooLong is what a write of more than a UDP datagram can hold returns.
var ErrTooLong = errors.New("message too long")
