package phone

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// reliably is a provisional response that was sent and has no PRACK yet.
type reliably struct {
	rseq  int
	acked chan struct{}
}

// ProgressReliably sends a provisional response again and again until its PRACK
// comes (RFC 3262 §3), and waits for that.
func (c *Call) ProgressReliably(ctx context.Context, code int, reason string, media bool) error {
	p := c.phone
	m := c.response(code, reason)
	p.mu.Lock()
	c.rseq++
	r := &reliably{rseq: c.rseq, acked: make(chan struct{})}
	c.reliable = r
	p.mu.Unlock()
	m.add("Require", "100rel")
	m.add("RSeq", strconv.Itoa(r.rseq))
	if media {
		if sdp, ok := c.counter(c.invite.request); ok {
			m.setBody("application/sdp", sdp)
			c.audio.speak()
		}
	}
	p.reply(c.invite, m)
	c.advance(Ringing)
	for wait := t1; wait <= lifetime; wait *= 2 {
		select {
		case <-r.acked:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-p.quit:
			return ErrClosed
		case <-time.After(wait):
			p.send(m, c.invite.from)
		}
	}
	return fmt.Errorf("%d: no PRACK", code)
}

// pracked is a PRACK for a response of ours.
func (c *Call) pracked(s *server) {
	p := c.phone
	p.mu.Lock()
	r := c.reliable
	f := strings.Fields(s.request.get("RAck"))
	match := r != nil && len(f) == 3 && f[0] == strconv.Itoa(r.rseq)
	if match {
		c.reliable = nil
		close(r.acked)
	}
	p.mu.Unlock()
	if !match {
		p.reply(s, p.answer(s, 481, "Call/Transaction Does Not Exist", c.tag))
		return
	}
	p.reply(s, p.answer(s, 200, "OK", c.tag))
}

// prack acknowledges a reliable provisional response, once.
func (c *Call) prack(res *message) {
	p := c.phone
	if !strings.Contains(res.get("Require"), "100rel") || res.get("RSeq") == "" {
		return
	}
	key := param(res.get("To"), "tag") + " " + res.get("RSeq")
	p.mu.Lock()
	known := c.pracks[key]
	if c.pracks == nil {
		c.pracks = map[string]bool{}
	}
	c.pracks[key] = true
	c.remote = res.get("To")
	c.learn(res, c.hop)
	p.mu.Unlock()
	if known {
		return
	}
	m, hop := c.request("PRACK")
	seq, _ := res.cseq()
	m.add("RAck", fmt.Sprintf("%s %d INVITE", res.get("RSeq"), seq))
	p.spawn(func() { _, _ = p.do(context.Background(), m, hop) })
}

// Update sends an UPDATE (RFC 3311): with an offer in that direction, or without
// any when it is empty. A refusal is a *StatusError.
func (c *Call) Update(ctx context.Context, direction string, headers ...Header) error {
	m, hop := c.request("UPDATE")
	for _, h := range headers {
		m.add(h.Name, h.Value)
	}
	if direction != "" {
		m.setBody("application/sdp", c.offer(direction))
	}
	final, err := c.phone.do(ctx, m, hop)
	switch {
	case err != nil:
		return fmt.Errorf("UPDATE: %w", err)
	case final.code >= 300:
		return fmt.Errorf("UPDATE: %w", &StatusError{Code: final.code, Reason: final.reason})
	case direction != "":
		return c.take(final)
	}
	return nil
}

// updated answers an UPDATE; without an offer it is only a sign of life.
func (c *Call) updated(s *server) {
	p := c.phone
	m := p.answer(s, 200, "OK", c.tag)
	m.add("Contact", "<"+p.URI()+">")
	for _, h := range p.cfg.Quirks.Answer {
		m.add(h.Name, h.Value)
	}
	p.mu.Lock()
	c.updates++
	p.wake()
	p.mu.Unlock()
	if s.request.hasSDP() {
		sdp, ok := c.counter(s.request)
		if !ok {
			m = p.answer(s, 488, phrases[488], c.tag)
		} else {
			m.setBody("application/sdp", sdp)
		}
	}
	p.reply(s, m)
}

// Updates counts the UPDATE requests received.
func (c *Call) Updates() int {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	return c.updates
}
