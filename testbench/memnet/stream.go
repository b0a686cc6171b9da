package memnet

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// streamWindow is how much may be on its way, or unread, before a writer waits.
const streamWindow = 64 << 10

// Stream is one end of a connection. Octets take the network's latency, arrive in
// order, and are never lost.
type Stream struct {
	network       *Network
	local, remote netip.AddrPort
	in, out       *pipe
}

var _ net.Conn = (*Stream)(nil)

// pipe carries octets one way.
type pipe struct {
	latency time.Duration

	mu            sync.Mutex
	chunks        []chunk
	size          int
	ended         error // what a reader gets after the chunks: io.EOF, or a reset
	endedAt       time.Time
	shut          bool // nobody writes or reads any more on this side
	readDeadline  time.Time
	writeDeadline time.Time
	changed       chan struct{} // closed and replaced at every change
}

type chunk struct {
	due  time.Time
	data []byte
}

func newPipe(latency time.Duration) *pipe {
	return &pipe{latency: latency, changed: make(chan struct{})}
}

// wake lets everybody look again; mu is held.
func (p *pipe) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func expired(deadline, now time.Time) bool { return !deadline.IsZero() && !now.Before(deadline) }

func (p *pipe) read(b []byte) (int, error) {
	for {
		p.mu.Lock()
		now := time.Now()
		until := p.readDeadline
		sooner := func(t time.Time) {
			if until.IsZero() || t.Before(until) {
				until = t
			}
		}
		switch {
		case p.shut:
			p.mu.Unlock()
			return 0, net.ErrClosed
		case expired(p.readDeadline, now):
			p.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		case len(p.chunks) > 0 && !p.chunks[0].due.After(now):
			n := copy(b, p.chunks[0].data)
			if p.chunks[0].data = p.chunks[0].data[n:]; len(p.chunks[0].data) == 0 {
				p.chunks = slices.Delete(p.chunks, 0, 1)
			}
			p.size -= n
			p.wake()
			p.mu.Unlock()
			return n, nil
		case len(p.chunks) > 0:
			sooner(p.chunks[0].due)
		case p.ended != nil && !p.endedAt.After(now):
			err := p.ended
			p.mu.Unlock()
			return 0, err
		case p.ended != nil:
			sooner(p.endedAt)
		}
		changed := p.changed
		p.mu.Unlock()
		wait(changed, until, now)
	}
}

func (p *pipe) write(b []byte) (int, error) {
	written := 0
	for {
		p.mu.Lock()
		now := time.Now()
		switch {
		case p.ended != nil, p.shut:
			p.mu.Unlock()
			return written, syscall.EPIPE
		case expired(p.writeDeadline, now):
			p.mu.Unlock()
			return written, os.ErrDeadlineExceeded
		case p.size < streamWindow && len(b) > 0:
			n := min(len(b), streamWindow-p.size)
			p.chunks = append(p.chunks, chunk{now.Add(p.latency), slices.Clone(b[:n])})
			p.size += n
			written += n
			b = b[n:]
			p.wake()
		}
		if len(b) == 0 {
			p.mu.Unlock()
			return written, nil
		}
		changed, until := p.changed, p.writeDeadline
		full := p.size >= streamWindow
		p.mu.Unlock()
		if full {
			wait(changed, until, now)
		}
	}
}

// end says that nothing more will be written.
func (p *pipe) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended == nil {
		p.ended, p.endedAt = err, time.Now().Add(p.latency)
		p.wake()
	}
}

// leave says that nobody reads any more.
func (p *pipe) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = true
	p.chunks = nil
	p.wake()
}

func (s *Stream) opError(op string, err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // io.EOF is never wrapped
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: err}
}

// Read implements net.Conn.
func (s *Stream) Read(b []byte) (int, error) {
	n, err := s.in.read(b)
	return n, s.opError("read", err)
}

// Write implements net.Conn.
func (s *Stream) Write(b []byte) (int, error) {
	n, err := s.out.write(b)
	return n, s.opError("write", err)
}

// CloseWrite ends one direction, as *net.TCPConn does.
func (s *Stream) CloseWrite() error {
	s.out.end(io.EOF)
	return nil
}

// Close implements net.Conn; it may be called twice.
func (s *Stream) Close() error {
	s.out.end(io.EOF)
	s.in.leave()
	s.network.hangUp(s)
	return nil
}

// LocalAddr implements net.Conn.
func (s *Stream) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(s.local) }

// RemoteAddr implements net.Conn.
func (s *Stream) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.remote) }

// SetDeadline implements net.Conn.
func (s *Stream) SetDeadline(t time.Time) error {
	_ = s.SetReadDeadline(t)
	return s.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (s *Stream) SetReadDeadline(t time.Time) error {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	s.in.readDeadline = t
	s.in.wake()
	return nil
}

// SetWriteDeadline implements net.Conn.
func (s *Stream) SetWriteDeadline(t time.Time) error {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	s.out.writeDeadline = t
	s.out.wake()
	return nil
}

// listener takes connections at one address.
type listener struct {
	network *Network
	at      netip.AddrPort
	calls   chan *Stream
	done    chan struct{}
	once    sync.Once
}

// ListenStream is net.Listen for "tcp". An address may be taken for datagrams and
// for connections at once.
func (n *Network) ListenStream(network, addr string) (net.Listener, error) {
	at, err := parse(addr)
	if err != nil {
		return nil, err
	}
	if !at.Addr().IsValid() {
		at = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), at.Port())
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.doors[at] != nil || at.Port() == 0 {
		return nil, opError("listen", at, syscall.EADDRINUSE)
	}
	l := &listener{network: n, at: at, calls: make(chan *Stream, 128), done: make(chan struct{})}
	n.doors[at] = l
	return l, nil
}

// DialStream connects from an address, whose port is picked, to a listener.
func (n *Network) DialStream(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	if !from.IsValid() || from.IsUnspecified() {
		from = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	t := time.NewTimer(2 * n.Latency) // SYN, and its answer
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return nil, opError("dial", to, context.Cause(ctx))
	}
	n.mu.Lock()
	l := n.doors[to]
	n.port++
	local := netip.AddrPortFrom(from, firstEphemeral+n.port%20000)
	n.mu.Unlock()
	if l == nil {
		return nil, opError("dial", to, syscall.ECONNREFUSED)
	}
	there, back := newPipe(n.Latency), newPipe(n.Latency)
	ours := &Stream{network: n, local: local, remote: to, in: back, out: there}
	theirs := &Stream{network: n, local: to, remote: local, in: there, out: back}
	select {
	case l.calls <- theirs:
		n.mu.Lock()
		defer n.mu.Unlock()
		n.streams[ours], n.streams[theirs] = true, true
		return ours, nil
	case <-l.done:
		return nil, opError("dial", to, syscall.ECONNREFUSED)
	case <-ctx.Done():
		return nil, opError("dial", to, context.Cause(ctx))
	}
}

// Streams counts the ends of connections that are not closed, for leak checks.
func (n *Network) Streams() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.streams)
}

func (n *Network) hangUp(s *Stream) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.streams, s)
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.calls:
		return c, nil
	case <-l.done:
		return nil, opError("accept", l.at, net.ErrClosed)
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.done)
		l.network.mu.Lock()
		delete(l.network.doors, l.at)
		l.network.mu.Unlock()
		for {
			select {
			case c := <-l.calls:
				_ = c.Close()
			default:
				return
			}
		}
	})
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.at) }
