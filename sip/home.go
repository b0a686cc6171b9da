package sip

import (
	"net/netip"
	"sync"
	"time"

	"b2bua/internal/loop"
	"b2bua/sip/transport"
)

// homes are the far ends of the connections over which we are registered. Calls
// come in by such a connection, through a NAT by no other, so it is kept open
// (RFC 5626 §3.5.1, §4.4.1), and we register anew when it is lost (§4.3).
type homes struct {
	mu sync.Mutex
	of map[netip.AddrPort]map[*Registered]struct{}
}

func newHomes() *homes { return &homes{of: map[netip.AddrPort]map[*Registered]struct{}{}} }

func (h *homes) enter(at netip.AddrPort, x *Registered) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of[at] == nil {
		h.of[at] = map[*Registered]struct{}{}
	}
	h.of[at][x] = struct{}{}
}

func (h *homes) leave(at netip.AddrPort, x *Registered) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if delete(h.of[at], x); len(h.of[at]) == 0 {
		delete(h.of, at)
	}
}

// has reports whether we are registered over a connection.
func (h *homes) has(c *transport.Conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return c.Dialled() && len(h.of[unmapped(c.Remote())]) > 0
}

// lost tells those who are registered over a connection that it is gone.
func (h *homes) lost(c *transport.Conn) {
	if !c.Dialled() {
		return
	}
	at := unmapped(c.Remote())
	h.mu.Lock()
	var all []*Registered
	for x := range h.of[at] {
		all = append(all, x)
	}
	h.mu.Unlock()
	for _, x := range all {
		x.box.post(func() { x.cut(at) })
	}
}

// lives notes the connection of a registration, if there is one.
func (x *Registered) lives(way flow) {
	x.away()
	if way.reliable() {
		at := unmapped(way.target().Addr)
		x.home, x.since = at, x.ep.cfg.Now()
		x.ep.homes.enter(at, x)
		if !way.there() { // gone before anybody could be told
			x.box.post(func() { x.cut(at) })
		}
	}
}

// away: nothing depends on the connection any more.
func (x *Registered) away() {
	if x.home.IsValid() {
		x.ep.homes.leave(x.home, x)
		x.home = netip.AddrPort{}
	}
}

// steady is how long a connection must have lasted for its loss to be an accident:
// some registrars close every one.
const steady = 2 * time.Minute

// cut: the connection is lost. We register over another one, ever later while
// they do not last (RFC 5626 §4.5).
func (x *Registered) cut(at netip.AddrPort) {
	if x.home != at || x.pending || x.ending {
		return
	}
	if x.ep.cfg.Now().Sub(x.since) > steady {
		x.cuts = 0
	}
	wait := backOff(503, x.cuts, x.ep.cfg.Random())
	x.cuts++
	x.away()
	if x.due.Sub(x.ep.cfg.Now()) > wait {
		x.ep.log.Info("connection to registrar lost", "registrar", x.host, "retry", wait)
		x.timer.Stop()
		x.timer = loop.AfterFunc(x.box.post, wait, x.attempt)
	}
}
