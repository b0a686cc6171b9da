package phone

import (
	"context"
	"fmt"
	"strings"
)

// Refer asks the other end to connect the party it speaks for to somebody else
// (RFC 3515): to is the value of Refer-To. A refusal is a *StatusError; how it
// goes on is told by Notified.
func (c *Call) Refer(ctx context.Context, to string, headers ...Header) error {
	m, hop := c.request("REFER")
	m.add("Refer-To", to)
	for _, h := range headers {
		m.add(h.Name, h.Value)
	}
	final, err := c.phone.do(ctx, m, hop)
	switch {
	case err != nil:
		return fmt.Errorf("REFER: %w", err)
	case final.code >= 300:
		return fmt.Errorf("REFER: %w", &StatusError{Code: final.code, Reason: final.reason})
	}
	return nil
}

// Replaces names this dialog for the other end (RFC 3891).
func (c *Call) Replaces() string {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	return fmt.Sprintf("%s;to-tag=%s;from-tag=%s", c.callID, param(c.remote, "tag"), c.tag)
}

// ReferToCall is the value of Refer-To for an attended transfer: who is at the
// other end of another call of this phone (RFC 5589 §7).
func ReferToCall(other *Call) string {
	other.phone.mu.Lock()
	target := other.target
	other.phone.mu.Unlock()
	escaped := strings.NewReplacer("@", "%40", ";", "%3B", "=", "%3D").Replace(other.Replaces())
	return "<" + target + "?Replaces=" + escaped + ">"
}

// Notified are the status lines that NOTIFY told of REFERs, each with the state
// of the subscription.
func (c *Call) Notified() []string {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	return append([]string(nil), c.notified...)
}

// WaitNotified waits until the last NOTIFY of a REFER has come and gives its
// status line.
func (c *Call) WaitNotified(ctx context.Context) (string, error) {
	var last string
	err := c.phone.await(ctx, func() bool {
		for _, n := range c.notified {
			line, state, _ := strings.Cut(n, " | ")
			if strings.HasPrefix(state, "terminated") {
				last = line
				return true
			}
		}
		return false
	})
	return last, err
}

// notify takes a NOTIFY within the call.
func (c *Call) notify(s *server) {
	p := c.phone
	line, _, _ := strings.Cut(string(s.request.body), "\r\n")
	p.mu.Lock()
	c.notified = append(c.notified, line+" | "+s.request.get("Subscription-State"))
	p.wake()
	p.mu.Unlock()
	p.reply(s, p.answer(s, 200, "OK", c.tag))
}
