package guard

import (
	"cmp"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// ConnConfig says what a Conn lets through. The zero value means the defaults;
// Guard and Log have none.
type ConnConfig struct {
	Guard *Guard
	Log   *slog.Logger
	// Known sources are heard even when their address is banned or over its rate,
	// for others may be behind it, or pretend to be. Nil means nobody is.
	Known func(netip.AddrPort) bool
	// Passed is shown what is let through, as it is handed on; it must not keep the
	// message. May be nil.
	Passed func(message []byte, source netip.AddrPort)
	// Unreachable is told that a datagram of ours has not arrived, by an ICMP error,
	// with the beginning of the datagram that the error quotes, and where it was
	// sent. Anybody can forge such an error who knows what it has to quote. It must
	// neither wait nor keep what is quoted. May be nil.
	Unreachable func(quoted []byte, to netip.AddrPort)
	// MaxMessage is the largest datagram that is looked at; 16 KiB.
	MaxMessage int
	// MaxPeers bounds how many sources a reader started by Serve sees before it
	// is renewed; 16,384.
	MaxPeers int
}

// Counts say what became of the datagrams read.
type Counts struct {
	Passed     uint64 // handed to the stack
	Repaired   uint64 // of those, rewritten first
	Keepalives uint64
	Junk       uint64 // not SIP, too small, too large
	Blocked    uint64 // banned or over the rate
	Malformed  uint64 // SIP, but beyond repair
	Errors     uint64 // of the socket
}

// Conn is a net.PacketConn whose reads give only well-formed SIP messages from
// sources that may talk. Writes pass through.
type Conn struct {
	net.PacketConn
	cfg    ConnConfig
	addrs  addrReader      // PacketConn's own netip methods, when it has them
	raw    syscall.RawConn // nil where errors are not told
	counts counts

	mu     sync.Mutex // one reader at a time: they share the buffers
	buf    []byte
	repair repairer
	errors int // in a row

	done  chan struct{}
	close sync.Once
	err   error
}

type counts struct {
	passed, repaired, keepalives, junk, blocked, malformed, errors atomic.Uint64
}

// addrReader is what *net.UDPConn has: reading without an allocation.
type addrReader interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
}

// Wrap puts a guard before a socket, which it then owns.
func Wrap(pc net.PacketConn, cfg ConnConfig) *Conn {
	cfg.MaxMessage = cmp.Or(cfg.MaxMessage, 16<<10)
	cfg.MaxPeers = cmp.Or(cfg.MaxPeers, 1<<14)
	if cfg.Known == nil {
		cfg.Known = func(netip.AddrPort) bool { return false }
	}
	c := &Conn{PacketConn: pc, cfg: cfg, done: make(chan struct{})}
	c.addrs, _ = pc.(addrReader)
	// One octet more than may be, so that a longer datagram shows.
	c.buf = make([]byte, cfg.MaxMessage+1)
	c.watch()
	return c
}

// Counts says what became of the datagrams read so far.
func (c *Conn) Counts() Counts {
	return Counts{
		Passed:     c.counts.passed.Load(),
		Repaired:   c.counts.repaired.Load(),
		Keepalives: c.counts.keepalives.Load(),
		Junk:       c.counts.junk.Load(),
		Blocked:    c.counts.blocked.Load(),
		Malformed:  c.counts.malformed.Load(),
		Errors:     c.counts.errors.Load(),
	}
}

// Close closes the socket and ends the readers with net.ErrClosed. Every call
// returns what the first one did.
func (c *Conn) Close() error {
	c.close.Do(func() {
		close(c.done)
		c.err = c.PacketConn.Close()
	})
	return c.err
}

// ReadFrom waits for the next message that may pass. It returns an error only
// when the Conn is closed or a read deadline has passed.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.read(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

func (c *Conn) read(b []byte) (int, netip.AddrPort, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		n, from, err := c.receive()
		if err != nil {
			if c.notified(err) {
				continue
			}
			if err = c.survive(err); err != nil {
				return 0, netip.AddrPort{}, err
			}
			continue
		}
		c.errors = 0
		message := c.admit(c.buf[:n], from)
		if message == nil {
			continue
		}
		if len(message) > len(b) {
			c.counts.junk.Add(1)
			continue
		}
		c.counts.passed.Add(1)
		if c.cfg.Passed != nil {
			c.cfg.Passed(message, from)
		}
		return copy(b, message), from, nil
	}
}

func (c *Conn) receive() (int, netip.AddrPort, error) {
	if c.addrs != nil {
		n, from, err := c.addrs.ReadFromUDPAddrPort(c.buf)
		return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), err
	}
	n, addr, err := c.PacketConn.ReadFrom(c.buf)
	if err != nil {
		return 0, netip.AddrPort{}, err
	}
	if u, ok := addr.(*net.UDPAddr); ok {
		from := u.AddrPort()
		return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), nil
	}
	from, err := netip.ParseAddrPort(addr.String())
	return n, from, err
}

const (
	errorsAtOnce = 10 // retried without waiting
	errorPause   = 50 * time.Millisecond
)

// survive decides whether a read error is the end. A socket that fails again and
// again is tried at a walking pace; mu is held.
func (c *Conn) survive(err error) error {
	var timeout net.Error
	switch {
	case errors.Is(err, net.ErrClosed):
		return err
	case errors.As(err, &timeout) && timeout.Timeout():
		return err
	}
	c.counts.errors.Add(1)
	c.errors++
	if c.errors <= errorsAtOnce {
		return nil
	}
	if c.errors == errorsAtOnce+1 {
		c.cfg.Log.Warn("read keeps failing", "addr", c.LocalAddr().String(), "err", err)
	}
	t := time.NewTimer(errorPause)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-c.done:
		return net.ErrClosed
	}
}

// admit gives the message to hand on, or nil. The result is valid until the next
// call; mu is held.
func (c *Conn) admit(data []byte, from netip.AddrPort) []byte {
	if isKeepalive(data) {
		c.pong(data, from)
		return nil
	}
	if isSTUN(data) {
		c.stun(data, from)
		return nil
	}
	if len(data) > c.cfg.MaxMessage || !looksLikeSIP(data) {
		c.counts.junk.Add(1)
		return nil
	}
	if !c.cfg.Guard.Allow(from.Addr(), len(data)) && !c.cfg.Known(from) {
		c.counts.blocked.Add(1)
		return nil
	}
	message, changed, err := c.repair.message(data)
	if err != nil {
		c.counts.malformed.Add(1)
		c.refuse(from)
		return nil
	}
	if changed {
		c.counts.repaired.Add(1)
	}
	return message
}

// maxQuoted is how much of a datagram is looked at that has not arrived: the first
// lines of a message.
const maxQuoted = 1024

// WriteTo sends a datagram. What the socket has to tell of an earlier one, maybe
// to somebody else, is not this one's failure.
func (c *Conn) WriteTo(b []byte, to net.Addr) (int, error) {
	return c.retry(func() (int, error) { return c.PacketConn.WriteTo(b, to) })
}

func (c *Conn) retry(send func() (int, error)) (n int, err error) {
	for range 3 {
		if n, err = send(); err == nil || !c.notified(err) {
			break
		}
	}
	return n, err
}

// write sends an answer of the guard's own. One that cannot be sent is as lost as
// one the network drops.
func (c *Conn) write(b []byte, to netip.AddrPort) {
	_, _ = c.retry(func() (int, error) {
		if c.addrs != nil {
			return c.addrs.WriteToUDPAddrPort(b, to)
		}
		return c.PacketConn.WriteTo(b, net.UDPAddrFromAddrPort(to))
	})
}

// pong answers the double CRLF of RFC 5626 §3.5.1 with a single one. A single
// CRLF, as many phones send to keep a NAT open, wants no answer; neither does
// the pong of somebody else.
func (c *Conn) pong(data []byte, from netip.AddrPort) {
	c.counts.keepalives.Add(1)
	if string(data) == "\r\n\r\n" && c.cfg.Guard.Allow(from.Addr(), 0) {
		c.write(data[:2], from)
	}
}

// refuse answers a broken request with 400 when enough of it can be read.
func (c *Conn) refuse(to netip.AddrPort) {
	if answer := c.repair.badRequest(); answer != nil && c.cfg.Guard.Spend(to.Addr(), len(answer)) {
		c.write(answer, to)
	}
}
