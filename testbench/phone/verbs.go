package phone

import (
	"context"
	"fmt"
)

// Hangup ends a call as its state demands: BYE, CANCEL, or a rejection with 480.
// It waits until the other end has answered. A call that has ended already is no
// error.
func (c *Call) Hangup(ctx context.Context) error {
	switch s := c.State(); {
	case s == Ended:
		return nil
	case s >= Answered:
		err := c.bye(ctx)
		c.end(Ending{By: ByUs})
		return err
	case c.outgoing:
		return c.Cancel(ctx)
	}
	return c.Reject(480)
}

func (c *Call) bye(ctx context.Context) error {
	m, hop := c.request("BYE")
	final, err := c.phone.do(ctx, m, hop)
	switch {
	case err != nil:
		return fmt.Errorf("BYE: %w", err)
	case final.code >= 300:
		return fmt.Errorf("BYE: %w", &StatusError{final.code, final.reason})
	}
	return nil
}

// Hold asks for music, or silence: a re-INVITE with sendonly.
func (c *Call) Hold(ctx context.Context) error { return c.Reinvite(ctx, SendOnly) }

// Resume ends Hold.
func (c *Call) Resume(ctx context.Context) error { return c.Reinvite(ctx, SendRecv) }

// Reinvite offers the call anew with a direction (RFC 3261 §14.1), and with other
// codecs when they are given. A refusal is a *StatusError and leaves all as it
// was.
func (c *Call) Reinvite(ctx context.Context, direction string, codecs ...string) error {
	p := c.phone
	p.mu.Lock()
	before, spoken := c.direction, c.options.Codecs
	if len(codecs) > 0 {
		c.options.Codecs = codecs
	}
	p.mu.Unlock()
	m, hop := c.request("INVITE")
	m.setBody("application/sdp", c.offer(direction))
	t := p.newClient(m, hop)
	p.mu.Lock()
	c.client = t
	p.mu.Unlock()
	final, err := p.run(ctx, t, nil)
	if err == nil && final.code < 300 {
		p.mu.Lock()
		c.learn(final, hop)
		seq, _ := m.cseq()
		ack, to := c.build("ACK", seq), c.hop
		p.mu.Unlock()
		p.acknowledge(t, ack, to)
		return c.take(final)
	}
	p.mu.Lock()
	c.direction, c.options.Codecs = before, spoken
	p.mu.Unlock()
	if err != nil {
		return fmt.Errorf("re-INVITE: %w", err)
	}
	p.ackFailure(t, final)
	return fmt.Errorf("re-INVITE: %w", &StatusError{final.code, final.reason})
}

// SendInfo sends an INFO, for example a digit as application/dtmf-relay.
func (c *Call) SendInfo(ctx context.Context, contentType, body string) error {
	m, hop := c.request("INFO")
	m.setBody(contentType, []byte(body))
	final, err := c.phone.do(ctx, m, hop)
	switch {
	case err != nil:
		return fmt.Errorf("INFO: %w", err)
	case final.code >= 300:
		return fmt.Errorf("INFO: %w", &StatusError{final.code, final.reason})
	}
	return nil
}
