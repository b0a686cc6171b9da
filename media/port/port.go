package port

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"time"
)

// Conn is a UDP socket whose reads wait. *net.UDPConn is one, and so are the
// sockets of an in-memory network.
type Conn interface {
	ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (n int, err error)
	SetReadDeadline(t time.Time) error
	LocalAddr() net.Addr
	io.Closer
}

// Socket is what a port is sent through, however it is heard. Its methods are
// called by one goroutine at a time.
type Socket interface {
	// Send sends a datagram; it does not wait.
	Send(b []byte, to netip.AddrPort) error
	// Connect lets the system drop whatever does not come from there; the zero
	// AddrPort ends that. What waited already is still heard, so the owner checks
	// sources all the same. Where the system cannot do it nothing changes.
	Connect(from netip.AddrPort) error
	// Close gives the port back; it may be called again.
	Close() error
}

// ErrUnsupported says that this system has no Poll.
var ErrUnsupported = errors.New("port: no polling on this system")
