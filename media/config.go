package media

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"b2bua/media/port"
)

// Conn is a UDP socket of a network that is not the system's.
type Conn = port.Conn

// Config is what the engine needs to know. The zero value works: any address,
// ports 20000-29999, 60 s until a stream counts as lost.
type Config struct {
	// Advertise is the address written into descriptions. Invalid: Bind, or
	// loopback when that is unspecified too.
	Advertise netip.Addr
	// Bind is the address sockets listen on. Invalid: Advertise, or any. Any is
	// Advertise where that is an address of this system; behind a NAT that forwards
	// to one of several addresses, name that one here.
	Bind netip.Addr
	// PortMin and PortMax bound the RTP ports, both included. RTP takes the
	// even port of a pair, RTCP the odd one above.
	PortMin, PortMax int
	// Timeout is how long a negotiated stream may stay silent before OnLost.
	Timeout time.Duration
	// Listen opens a socket, which is then read by a goroutine of its own. Nil:
	// the system's UDP, polled where it can be.
	Listen func(netip.AddrPort) (Conn, error)
}

const (
	defaultPortMin = 20000
	defaultPortMax = 29999
	defaultTimeout = 60 * time.Second
)

// Validate reports every problem of the configuration at once.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	if c.PortMin < 1024 || c.PortMax > 65535 || c.PortMin > c.PortMax {
		errs = append(errs, fmt.Errorf("media ports %d-%d: want a range inside 1024-65535", c.PortMin, c.PortMax))
	} else if (c.PortMax+1)/2 <= (c.PortMin+1)/2 {
		errs = append(errs, fmt.Errorf("media ports %d-%d: no even/odd pair inside", c.PortMin, c.PortMax))
	}
	if c.Bind.Is4() && c.Advertise.Is6() || c.Bind.Is6() && !c.Bind.IsUnspecified() && c.Advertise.Is4() {
		errs = append(errs, fmt.Errorf("media addresses: %s is bound and %s advertised: want both IPv4 or both IPv6", c.Bind, c.Advertise))
	}
	if c.Timeout < time.Second {
		errs = append(errs, fmt.Errorf("media timeout %s: want at least 1s", c.Timeout))
	}
	return errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	if c.PortMin == 0 {
		c.PortMin = defaultPortMin
	}
	if c.PortMax == 0 {
		c.PortMax = defaultPortMax
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if !c.Bind.IsValid() {
		c.Bind = netip.IPv4Unspecified()
		if c.Advertise.IsValid() {
			c.Bind = c.Advertise
		}
	}
	if !c.Advertise.IsValid() {
		c.Advertise = c.Bind
		if c.Advertise.IsUnspecified() {
			c.Advertise = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
	}
	return c
}

// polled: the shards wait for their sockets themselves.
func (c Config) polled() bool { return c.Listen == nil && port.Supported }

// listen opens a socket. Where it would hear at any address, and the one told to
// far ends is an address of this system, it is bound to that one: what is sent then
// comes from where a far end expects it, whatever way it takes, and the socket can
// be connected.
func (c Config) listen(at netip.AddrPort) (port.Socket, error) {
	if c.Listen == nil && at.Addr().IsUnspecified() {
		if s, err := c.open(netip.AddrPortFrom(c.Advertise, at.Port())); err == nil {
			return s, nil
		}
	}
	return c.open(at)
}

func (c Config) open(at netip.AddrPort) (port.Socket, error) {
	if c.polled() {
		return port.Listen(at)
	}
	open := c.Listen
	if open == nil {
		open = listenUDP
	}
	conn, err := open(at)
	if err != nil {
		return nil, err
	}
	return port.NewReader(conn), nil
}

// listenUDP opens a socket where there is no polling.
func listenUDP(addr netip.AddrPort) (Conn, error) {
	network := "udp"
	if addr.Addr().Is4() {
		// Not a dual-stack socket: sources then come as plain IPv4.
		network = "udp4"
	}
	c, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, err
	}
	return c, nil
}
