package port

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
)

// Reader is a Socket with a goroutine that waits for its packets.
type Reader struct {
	conn    Conn
	closed  atomic.Bool
	reading sync.WaitGroup
}

// NewReader makes a Reader of a Conn; nothing is read before Start.
func NewReader(c Conn) *Reader { return &Reader{conn: c} }

// Start hands every datagram, of size octets at most, to take, which may use
// the octets until it returns.
func (r *Reader) Start(size int, take func(b []byte, from netip.AddrPort)) {
	r.reading.Go(func() { r.read(make([]byte, size), take) })
}

// read goes on until the Conn is closed. Other errors (a refused port shows as
// one on some systems) end nothing.
func (r *Reader) read(buf []byte, take func(b []byte, from netip.AddrPort)) {
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if r.closed.Load() || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrClosed) {
				return
			}
			continue
		}
		take(buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
	}
}

// Send sends a datagram.
func (r *Reader) Send(b []byte, to netip.AddrPort) error {
	_, err := r.conn.WriteToUDPAddrPort(b, to)
	return err
}

// Connect does nothing: a Conn hears everybody.
func (r *Reader) Connect(netip.AddrPort) error { return nil }

// Close ends the reading; Wait waits until it has ended.
func (r *Reader) Close() error {
	if r.closed.Swap(true) {
		return nil
	}
	return r.conn.Close()
}

// Wait waits until nothing is handed over any more. It must not be called by
// the function that Start was given.
func (r *Reader) Wait() { r.reading.Wait() }
