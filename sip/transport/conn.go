package transport

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	idleTrusted  = 15 * time.Minute // a connection of a trunk, or to one, that says nothing for so long is closed
	idleStranger = 2 * time.Minute  // one of somebody unknown, after its last whole message
	firstMessage = 30 * time.Second // to say anything that makes sense
	pingEvery    = 2 * time.Minute  // on connections that we made and need

	lingerTime = time.Second // for the far end to read why we close
	lingerMost = 256 << 10

	maxUnsent = 256 // messages waiting for one connection
)

// What Sender.Fail is told.
var (
	ErrCongested = errors.New("too many messages wait for the connection")
	ErrConnect   = errors.New("connect to")
	ErrGone      = errors.New("the connection is gone")
	ErrWithdrawn = errors.New("no longer wanted")
	errClosed    = errors.New("the port is closed")
)

// Sender is whose message it is. Its methods may be called on any goroutine.
type Sender interface {
	// Wanted is asked just before the message is written, which may be late.
	Wanted() bool
	// Sent says that the message has been written to the connection. Whether it
	// arrives is not known; Gone tells when the connection ends.
	Sent(*Conn)
	// Fail says that the message was certainly not delivered.
	Fail(error)
}

// message waits to be written.
type message struct {
	way   Way
	data  []byte
	of    Sender // or nil
	again bool   // it failed on a connection that turned out to be dead
}

func (m message) fail(err error) {
	if m.of != nil {
		m.of.Fail(err)
	}
}

// Conn is a connection, or one that is being made.
type Conn struct {
	port    *Port
	key     key
	dialled bool
	opened  time.Time
	known   bool         // not counted as a stranger's; guarded by the Door
	said    atomic.Int64 // the last octet, since opened
	heard   atomic.Int64 // the last whole message, since opened and 1 ns more; 0 before the first

	mu      sync.Mutex
	raw     net.Conn
	link    link // nil until it can be written to
	queue   []message
	writing bool // a goroutine is at the queue
	ending  bool // to be closed once the queue is empty
	gone    bool
	watch   *time.Timer
}

// Remote is the far end's address.
func (c *Conn) Remote() netip.AddrPort { return c.key.remote }

// Name is who the far end has proved to be, on a connection that we made; empty
// otherwise.
func (c *Conn) Name() string { return c.key.name }

// Insecure says that we made the connection and wanted no proof.
func (c *Conn) Insecure() bool { return c.key.insecure }

// Dialled reports whether we made the connection.
func (c *Conn) Dialled() bool { return c.dialled }

// Ended reports whether the connection is gone.
func (c *Conn) Ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// Send writes over this connection and no other, without waiting.
func (c *Conn) Send(data []byte) { c.enqueue(message{way: Way{Remote: c.key.remote}, data: data}) }

// Close ends the connection at once.
func (c *Conn) Close() { c.end(ErrGone) }

// enqueue reports false when the connection is gone.
func (c *Conn) enqueue(m message) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.gone || c.ending:
		return false
	case len(c.queue) >= maxUnsent:
		c.port.spawn(func() { m.fail(ErrCongested) })
		return true
	}
	c.queue = append(c.queue, m)
	c.begin()
	return true
}

// begin starts a writer if there is something for it to do; mu is held.
func (c *Conn) begin() {
	if c.writing || c.link == nil || len(c.queue) == 0 || c.gone {
		return
	}
	c.writing = true
	if !c.port.spawn(c.write) {
		c.writing = false
	}
}

// write empties the queue.
func (c *Conn) write() {
	for {
		c.mu.Lock()
		if c.gone || len(c.queue) == 0 {
			c.queue, c.writing = nil, false
			c.shut()
			c.mu.Unlock()
			return
		}
		m := c.queue[0]
		c.queue[0] = message{}
		c.queue = c.queue[1:]
		l := c.link
		c.mu.Unlock()
		if m.of != nil && !m.of.Wanted() {
			// It ended, or was hung up, while it waited: sent now it would ring a
			// phone for nobody.
			m.fail(ErrWithdrawn)
			continue
		}
		if err := l.write(m.data); err != nil {
			c.unsent(m, err)
		} else if m.of != nil {
			m.of.Sent(c)
		}
	}
}

// unsent puts a message that could not be written back to where it was.
func (c *Conn) unsent(m message, err error) {
	c.mu.Lock()
	gone := c.gone
	if !gone {
		c.queue = append([]message{m}, c.queue...)
	}
	c.mu.Unlock()
	if gone {
		c.port.another(m, err)
	}
	c.end(err)
}

// finish ends a connection that cannot be read any more, but may have an answer
// to deliver: closing it with octets unread would take the answer back.
func (c *Conn) finish() {
	c.mu.Lock()
	c.ending = true
	raw := c.raw
	c.shut()
	c.mu.Unlock()
	_ = raw.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, raw, lingerMost)
}

// shut says that nothing more will come, once nothing more will; mu is held.
func (c *Conn) shut() {
	if !c.ending || c.writing || c.gone {
		return
	}
	if half, ok := c.raw.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// end may be called more than once. What waits goes by another connection, if
// one can be made.
func (c *Conn) end(err error) {
	c.port.forget(c)
	c.mu.Lock()
	if c.gone {
		c.mu.Unlock()
		return
	}
	c.gone = true
	queue, raw, watch := c.queue, c.raw, c.watch
	c.queue = nil
	c.mu.Unlock()
	if watch != nil {
		watch.Stop()
	}
	if raw != nil {
		_ = raw.Close()
	}
	c.port.lost(c)
	for _, m := range queue {
		c.port.another(m, err)
	}
}

// took makes raw the connection, which is watched from now on. It reports false
// when it is gone already.
func (c *Conn) took(raw net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		_ = raw.Close()
		return false
	}
	c.raw = raw
	c.watch = time.AfterFunc(time.Until(c.until()), c.check)
	return true
}

// linked makes the connection ready to write.
func (c *Conn) linked(l link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link = l
	c.begin()
}

// serve reads until the connection ends.
func (c *Conn) serve(l link) {
	defer func() {
		c.end(ErrGone)
		c.port.lost(c) // again: what was read last may have made something depend on it
	}()
	c.linked(l)
	owner := c.port.cfg.Owner
	for {
		data, err := l.read()
		var lost *BrokenError
		if errors.As(err, &lost) {
			owner.Broken(c, lost)
			c.finish()
			return
		}
		if err != nil {
			return
		}
		owner.Received(c, data)
		c.heard.Store(int64(time.Since(c.opened)) + 1)
		c.port.cfg.Door.judge(c)
	}
}

// check closes the connection if it has been silent for too long.
func (c *Conn) check() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return
	}
	left := time.Until(c.until())
	if left <= 0 {
		c.port.spawn(func() { c.end(ErrGone) })
		return
	}
	c.watch.Reset(left)
	if c.dialled && c.link != nil && len(c.queue) == 0 && c.port.cfg.Owner.Keeps(c) > 0 {
		// RFC 5626 §3.5.1: so that no NAT forgets it, and we notice when it is dead.
		c.queue = append(c.queue, message{way: Way{Remote: c.key.remote}, data: []byte("\r\n\r\n")})
		c.begin()
	}
}

// until is when the connection is closed if it stays as silent as it is. What it
// depends on may change meanwhile.
func (c *Conn) until() time.Time {
	said := c.opened.Add(time.Duration(c.said.Load()))
	owner := c.port.cfg.Owner
	if d := owner.Keeps(c); d > 0 {
		if c.dialled {
			return time.Now().Add(min(d, pingEvery))
		}
		// RFC 5626 §5.3: requests to a phone go over its connection, and it need not
		// say anything before it registers again.
		return later(said.Add(idleTrusted), time.Now().Add(d))
	}
	heard := c.heard.Load()
	switch {
	case c.dialled, owner.Trusted(c.key.remote.Addr()):
		return said.Add(idleTrusted)
	case heard == 0:
		return c.opened.Add(firstMessage)
	}
	return c.opened.Add(time.Duration(heard-1) + idleStranger)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// trusted reports whether large messages are taken.
func (c *Conn) trusted() bool { return c.dialled || c.port.cfg.Door.knows(c) }

// pong answers a ping (RFC 5626 §4.4.1).
func (c *Conn) pong() { c.Send([]byte("\r\n")) }

// tracked is an accepted connection beneath TLS and HTTP.
type tracked struct {
	net.Conn
	c *Conn
}

func (t *tracked) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	if n > 0 {
		t.c.said.Store(int64(time.Since(t.c.opened)))
	}
	return n, err
}

// Close ends also what was known of the connection.
func (t *tracked) Close() error {
	err := t.Conn.Close()
	t.c.end(ErrGone)
	return err
}
