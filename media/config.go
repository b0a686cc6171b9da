package media

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
)

// Conn is a UDP socket as the engine uses it. *net.UDPConn is one, and so are
// the sockets of an in-memory network.
type Conn interface {
	ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (n int, err error)
	SetReadDeadline(t time.Time) error
	LocalAddr() net.Addr
	io.Closer
}

// Config is what the engine needs to know. The zero value works: any address,
// ports 20000-29999, 60 s until a stream counts as lost.
type Config struct {
	// Advertise is the address written into descriptions. Invalid: Bind, or
	// loopback when that is unspecified too.
	Advertise netip.Addr
	// Bind is the address sockets listen on. Invalid: Advertise, or any.
	Bind netip.Addr
	// PortMin and PortMax bound the RTP ports, both included. RTP takes the
	// even port of a pair, RTCP the odd one above.
	PortMin, PortMax int
	// Timeout is how long a negotiated stream may stay silent before OnLost.
	Timeout time.Duration
	// Listen opens a socket. Nil: a real UDP socket.
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
	if c.Listen == nil {
		c.Listen = listenUDP
	}
	return c
}

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
