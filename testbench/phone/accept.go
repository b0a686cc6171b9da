package phone

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Ring sends 180.
func (c *Call) Ring() { c.Progress1xx(180, "Ringing", false) }

// Progress1xx sends a provisional response, with a description for early media
// when asked for.
func (c *Call) Progress1xx(code int, reason string, media bool) {
	if c.outgoing || c.State() >= Answered {
		return
	}
	m := c.response(code, reason)
	if media && c.invite.request.hasSDP() {
		if sdp, ok := c.counter(c.invite.request); ok {
			m.setBody("application/sdp", sdp)
			c.audio.speak()
		}
	}
	c.phone.reply(c.invite, m)
	c.advance(Ringing)
}

func (c *Call) response(code int, reason string) *message {
	m := c.phone.answer(c.invite, code, reason, c.tag)
	m.add("Contact", "<"+c.phone.URI()+">")
	m.add("Allow", allow)
	return m
}

// Accept answers an incoming call with 200. When there is no codec in common the
// call is rejected with 488 and that is the error. The ACK is waited for by
// WaitState(Established).
func (c *Call) Accept() error {
	p := c.phone
	p.mu.Lock()
	s, state := c.invite, c.state
	if !c.outgoing && state < Answered {
		c.state = Answered
		p.wake()
	}
	p.mu.Unlock()
	if c.outgoing || state >= Answered {
		return fmt.Errorf("cannot accept a call that is %v", state)
	}
	m := c.response(200, "OK")
	for _, h := range p.cfg.Quirks.Answer {
		m.add(h.Name, h.Value)
	}
	if s.request.hasSDP() {
		sdp, ok := c.counter(s.request)
		if !ok {
			c.reject(488, "Not Acceptable Here")
			return errors.New("no codec in common")
		}
		m.setBody("application/sdp", sdp)
	} else {
		m.setBody("application/sdp", c.offer(SendRecv))
	}
	p.reply(s, m)
	c.audio.speak()
	p.spawn(func() {
		if !p.insist(s, m) {
			// RFC 3261 §13.3.1.4: without an ACK there is no session.
			_ = c.bye(context.Background()) // nobody may be there
			c.end(Ending{By: ByTimeout})
		}
	})
	return nil
}

// Reject refuses an incoming call; without a reason the code's own.
func (c *Call) Reject(code int, reason ...string) error {
	if s := c.State(); c.outgoing || s >= Answered {
		return fmt.Errorf("cannot reject a call that is %v", s)
	}
	c.reject(code, strings.Join(reason, " "))
	return nil
}

var phrases = map[int]string{
	410: "Gone",
	484: "Address Incomplete",
	604: "Does Not Exist Anywhere",
	607: "Unwanted",
	403: "Forbidden", 404: "Not Found", 480: "Temporarily Unavailable", 486: "Busy Here", 487: "Request Terminated",
	488: "Not Acceptable Here", 491: "Request Pending", 500: "Server Internal Error", 503: "Service Unavailable",
	600: "Busy Everywhere", 603: "Decline",
}

func (c *Call) reject(code int, reason string) {
	if reason == "" {
		reason = phrases[code]
	}
	c.refuse(code, reason)
	c.end(Ending{By: ByUs, Code: code, Reason: reason})
}

// refuse sends a failure to the last INVITE until it is acknowledged.
func (c *Call) refuse(code int, reason string) {
	p, s := c.phone, c.invite
	m := c.response(code, reason)
	p.reply(s, m)
	p.spawn(func() { p.insist(s, m) })
}
