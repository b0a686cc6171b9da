package sip

import (
	"net/netip"
	"sync"
	"time"

	"b2bua/sip/guard"
	"b2bua/sip/transport"

	sipmsg "github.com/emiago/sipgo/sip"
)

const (
	lateRefresh = 30 * time.Second // beyond the expiry of a binding
	askAgain    = 2 * time.Minute  // whether a connection still has a dialog

	maxStreamed = 256 << 10 // more than the transport lets through
)

// carried is what a socket's connections ask for, and tell.
type carried struct{ *socket }

// Blocked implements transport.Owner.
func (s carried) Blocked(a netip.Addr) bool { return s.ep.guard.Blocked(a) }

// Trusted implements transport.Owner.
func (s carried) Trusted(a netip.Addr) bool { return s.ep.trusted(a) }

// Keeps implements transport.Owner: bindings, dialogs and our own registrations
// depend on a connection.
func (s carried) Keeps(c *transport.Conn) time.Duration {
	if expires := s.ep.registrar.Until(c.Remote(), s.network); !expires.IsZero() {
		return expires.Sub(s.ep.cfg.Now()) + lateRefresh
	}
	if s.ep.homes.has(c) || s.ep.friends.at(c.Remote()) {
		return askAgain
	}
	return 0
}

// Gone implements transport.Owner. RFC 5626 §4.2: a flow that is gone takes its
// bindings with it. What waits for an answer over it fails.
func (s carried) Gone(c *transport.Conn, again bool) {
	if s.ep.closing() {
		return // with everything that there is
	}
	s.unbound(c, again)
	if !again {
		s.ep.homes.lost(c)
	}
	s.ep.carriers.lost(c)
}

// unbound forgets the phone that was there, unless it has connected again.
func (s carried) unbound(c *transport.Conn, again bool) {
	if c.Dialled() || again {
		return
	}
	if n := s.ep.registrar.Drop(c.Remote(), s.network); n > 0 {
		s.ep.log.Info("registration lost with its connection", "source", c.Remote(), "bindings", n)
	}
}

// texts are the repairers that connections borrow for the time of one message.
var texts = sync.Pool{New: func() any { return new(guard.Text) }}

var streamParser = func() *sipmsg.Parser {
	p := sipmsg.NewParser()
	p.MaxMessageLength = maxStreamed
	return p
}()

// Received implements transport.Owner.
func (s carried) Received(c *transport.Conn, data []byte) {
	if !s.welcome(c) {
		return
	}
	text := texts.Get().(*guard.Text)
	defer texts.Put(text)
	whole, err := text.Message(data)
	if err != nil {
		if answer := text.Refusal(); answer != nil {
			c.Send(answer)
		}
		return
	}
	s.received(whole, unmapped(c.Remote()))
	msg, err := streamParser.ParseSIP(whole)
	if err != nil {
		return
	}
	msg.SetSource(c.Remote().String())
	s.ep.receive(s.socket, c, msg)
}

// Broken implements transport.Owner.
func (s carried) Broken(c *transport.Conn, b *transport.BrokenError) {
	if !s.welcome(c) || len(b.Head) == 0 {
		return
	}
	text := texts.Get().(*guard.Text)
	defer texts.Put(text)
	if answer := text.Broken(b.Head, b.Code, reasonOf(b.Code)); answer != nil {
		c.Send(answer)
	}
}

// welcome is what the guard asks of datagrams. Who is banned is thrown out.
func (s carried) welcome(c *transport.Conn) bool {
	source := c.Remote()
	if s.ep.guard.Allow(source.Addr(), 0) || s.ep.registered(source, s.network) {
		return true
	}
	if s.ep.guard.Blocked(source.Addr()) {
		c.Close()
	}
	return false
}

// sender is a client transaction as the transport sees it.
type sender struct {
	tx   *clientTx
	sock *socket // the request may meanwhile go by another
}

// Wanted implements transport.Sender.
func (s sender) Wanted() bool { return s.tx.wantedBy(s.sock) }

// Sent implements transport.Sender.
func (s sender) Sent(c *transport.Conn) {
	if s.tx.way().sock == s.sock {
		s.tx.carriedBy(c)
	}
}

// Fail implements transport.Sender.
func (s sender) Fail(err error) {
	if s.tx.way().sock == s.sock {
		s.tx.fail(err)
	}
}
