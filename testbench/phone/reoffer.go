package phone

import (
	"context"
	"fmt"
	"net/netip"
)

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
	err := c.reoffer(ctx, c.offer(direction))
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		c.direction, c.options.Codecs = before, spoken
	} else {
		c.wants = direction
	}
	return err
}

// Reoffer is Reinvite with the phone's own description as edit makes it. When
// edit is nil the re-INVITE has no offer: the other end's comes with the 200,
// and the answer goes into the ACK.
func (c *Call) Reoffer(ctx context.Context, edit func(sdp string) string) error {
	if edit == nil {
		return c.reoffer(ctx, nil)
	}
	return c.reoffer(ctx, []byte(edit(string(c.offer(SendRecv)))))
}

// ReofferAndCancel is Reoffer that is taken back at once (RFC 3261 §9.1 allows it
// after a 1xx only; networks turn messages round). It is an error, a *StatusError
// of 487, unless the answer was quicker.
func (c *Call) ReofferAndCancel(ctx context.Context, edit func(sdp string) string) error {
	p := c.phone
	p.mu.Lock()
	c.hasty = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		c.hasty = false
		p.mu.Unlock()
	}()
	return c.Reoffer(ctx, edit)
}

// Move goes on from another RTP socket, at an address, and says so by a
// re-INVITE.
func (c *Call) Move(ctx context.Context, to netip.Addr) error {
	p := c.phone
	conn, err := p.cfg.ListenRTP(netip.AddrPortFrom(to, 0))
	if err != nil {
		return fmt.Errorf("socket for RTP: %w", err)
	}
	p.mu.Lock()
	err = c.audio.move(conn, to)
	p.mu.Unlock()
	if err != nil {
		return err
	}
	return c.Reinvite(ctx, SendRecv)
}

// reoffer sends a re-INVITE and takes what comes of it.
func (c *Call) reoffer(ctx context.Context, offer []byte) error {
	p := c.phone
	m, hop := c.request("INVITE")
	if offer != nil {
		m.setBody("application/sdp", offer)
	}
	t := p.newClient(m, hop)
	p.mu.Lock()
	c.client = t
	hasty := c.hasty
	p.mu.Unlock()
	if hasty {
		p.send(t.request, t.to)
		p.send(t.cancel(), t.to)
	}
	final, err := p.run(ctx, t, nil)
	switch {
	case err != nil:
		return fmt.Errorf("re-INVITE: %w", err)
	case final.code >= 300:
		p.ackFailure(t, final)
		return fmt.Errorf("re-INVITE: %w", &StatusError{Code: final.code, Reason: final.reason, Warning: final.get("Warning")})
	}
	p.mu.Lock()
	c.learn(final, hop)
	seq, _ := m.cseq()
	ack, to := c.build("ACK", seq), c.hop
	p.mu.Unlock()
	if offer == nil {
		answer, ok := c.counter(final)
		if !ok {
			return fmt.Errorf("re-INVITE: the 200 has no offer we can answer")
		}
		ack.setBody("application/sdp", answer)
		p.acknowledge(t, ack, to)
		return nil
	}
	p.acknowledge(t, ack, to)
	return c.take(final)
}
