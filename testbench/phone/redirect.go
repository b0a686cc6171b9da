package phone

import "fmt"

// Refuse is Reject with headers: a 302 with its Contact, a 503 with Retry-After.
func (c *Call) Refuse(code int, reason string, headers ...Header) error {
	if s := c.State(); c.outgoing || s >= Answered {
		return fmt.Errorf("cannot refuse a call that is %v", s)
	}
	p, s := c.phone, c.invite
	m := c.phone.answer(s, code, reason, c.tag)
	for _, h := range headers {
		m.add(h.Name, h.Value)
	}
	p.reply(s, m)
	p.spawn(func() { p.insist(s, m) })
	c.end(Ending{By: ByUs, Code: code, Reason: reason})
	return nil
}

// Requested is the Request-URI of an incoming call.
func (c *Call) Requested() string { return c.invite.request.uri }

// Values are all headers of that name of an incoming call's INVITE.
func (c *Call) Values(name string) []string { return c.invite.request.all(name) }
