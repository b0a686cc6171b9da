package sip

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

const (
	idleStream   = 15 * time.Minute // a connection of a trunk that says nothing for so long is closed
	idleStranger = 2 * time.Minute  // one of somebody unknown, after its last whole message
	firstMessage = 30 * time.Second // to say anything that makes sense
	lateRefresh  = 30 * time.Second // beyond the expiry of a binding

	maxStreams         = 8192
	reservedStreams    = 1024 // of these, for trusted sources only
	maxStrangers       = 2048 // connections over which nobody has proved anything
	maxStrangersSource = 64   // of these, from one address
)

// door lets TCP connections in, few of strangers and for a short time.
type door struct {
	net.Listener
	ep      *Endpoint
	network string

	mu        sync.Mutex
	visitors  map[netip.AddrPort]*visitor
	strangers int
	from      map[netip.Addr]int // strangers by source
}

func newDoor(l net.Listener, e *Endpoint, network string) *door {
	return &door{Listener: l, ep: e, network: network, visitors: map[netip.AddrPort]*visitor{}, from: map[netip.Addr]int{}}
}

// visitor is a connection that came in.
type visitor struct {
	net.Conn
	door   *door
	source netip.AddrPort
	opened time.Time

	// Guarded by the door.
	known bool      // not counted as a stranger's
	said  time.Time // the last octet
	heard time.Time // the last whole message; zero before the first
}

func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if v := d.enter(c); v != nil {
			return v, nil
		}
		_ = c.Close()
	}
}

// enter gives nil to who may not come in.
func (d *door) enter(c net.Conn) *visitor {
	source, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return nil
	}
	source = unmapped(source)
	if d.ep.guard.Blocked(source.Addr()) {
		return nil
	}
	now := time.Now()
	v := &visitor{Conn: c, door: d, source: source, opened: now, said: now, known: d.ep.trusted(source.Addr())}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case len(d.visitors) >= maxStreams:
		return nil
	case v.known:
	case len(d.visitors) >= maxStreams-reservedStreams, d.strangers >= maxStrangers, d.from[household(source.Addr())] >= maxStrangersSource:
		return nil
	}
	d.visitors[source] = v
	d.count(v, +1)
	return v
}

// count keeps the numbers of strangers; mu is held.
func (d *door) count(v *visitor, n int) {
	if v.known {
		return
	}
	d.strangers += n
	from := household(v.source.Addr())
	if d.from[from] += n; d.from[from] == 0 {
		delete(d.from, from)
	}
}

// household is who has an address: of IPv6 a host has a whole /64.
func household(a netip.Addr) netip.Addr {
	if a.Is6() && !a.Is4In6() {
		p, _ := a.WithZone("").Prefix(64) // 64 is always within an IPv6 address
		return p.Addr()
	}
	return a
}

// heard notes a whole message, once it has been dealt with: it may have made the
// connection that of a registered phone, or of a call.
func (d *door) heard(source netip.AddrPort) {
	known := d.carries(source) || d.ep.trusted(source.Addr())
	d.mu.Lock()
	defer d.mu.Unlock()
	v, ok := d.visitors[source]
	if !ok {
		return // a connection that we made
	}
	v.heard = time.Now()
	if v.known != known {
		d.count(v, -1)
		v.known = known
		d.count(v, +1)
	}
}

// carries reports whether a binding or a dialog depends on a connection.
func (d *door) carries(source netip.AddrPort) bool {
	return !d.ep.registrar.Until(source, d.network).IsZero() || d.ep.friends.at(source)
}

// refuse closes the connection of somebody who is banned.
func (d *door) refuse(source netip.AddrPort) {
	d.mu.Lock()
	v := d.visitors[source]
	d.mu.Unlock()
	if v != nil {
		_ = v.Close()
	}
}

// until is when a connection is closed if it stays as silent as it is.
func (v *visitor) until() time.Time {
	e, now := v.door.ep, time.Now()
	v.door.mu.Lock()
	said, heard := v.said, v.heard
	v.door.mu.Unlock()
	if expires := e.registrar.Until(v.source, v.door.network); !expires.IsZero() {
		// RFC 5626 §5.3: requests to the phone go over this connection, and a
		// phone need not say anything before it registers again.
		return later(said.Add(idleStream), now.Add(expires.Sub(e.cfg.Now())+lateRefresh))
	}
	switch {
	case e.friends.at(v.source):
		return now.Add(idleStranger) // ask again then
	case e.trusted(v.source.Addr()):
		return said.Add(idleStream)
	case heard.IsZero():
		return v.opened.Add(firstMessage)
	}
	return heard.Add(idleStranger)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Read waits no longer than the connection may be silent; what that is may
// change while it waits.
func (v *visitor) Read(b []byte) (int, error) {
	for {
		if err := v.Conn.SetReadDeadline(v.until()); err != nil {
			v.leave()
			return 0, err
		}
		n, err := v.Conn.Read(b)
		if n > 0 || err == nil {
			v.door.mu.Lock()
			v.said = time.Now()
			v.door.mu.Unlock()
			return n, err
		}
		if errors.Is(err, os.ErrDeadlineExceeded) && v.until().After(time.Now()) {
			continue
		}
		v.leave()
		return n, err
	}
}

// SetReadDeadline does nothing: the library has one limit for everybody.
func (v *visitor) SetReadDeadline(time.Time) error { return nil }

// Close ends the connection, and with it what was registered over it.
func (v *visitor) Close() error {
	err := v.Conn.Close()
	v.leave()
	return err
}

// leave may be called more than once: what was read before the connection closed
// may have registered a phone after.
func (v *visitor) leave() {
	d := v.door
	d.mu.Lock()
	if d.visitors[v.source] == v {
		delete(d.visitors, v.source)
		d.count(v, -1)
	}
	_, again := d.visitors[v.source]
	d.mu.Unlock()
	if again {
		return // the same address by another connection
	}
	// RFC 5626 §4.2: a flow that is gone takes its bindings with it.
	if n := d.ep.registrar.Drop(v.source, d.network); n > 0 && !d.ep.closing() {
		d.ep.log.Info("registration lost with its connection", "source", v.source, "bindings", n)
	}
}
