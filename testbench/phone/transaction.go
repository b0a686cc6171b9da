package phone

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"strconv"
	"time"
)

// Timers of RFC 3261 §17.1.1.1.
const (
	t1       = 500 * time.Millisecond
	t2       = 4 * time.Second
	lifetime = 64 * t1 // timers B, F, H, J

	purgeOver = 1000 // transactions kept without looking for old ones
)

// errTimeout is a request nobody answered.
var errTimeout = errors.New("no answer in 32 s")

// client is a client transaction. A final response that comes again is answered
// with the same ACK (RFC 3261 §17.1.1.2, §13.2.2.4).
type client struct {
	born      time.Time
	request   *message
	to        netip.AddrPort
	responses chan *message
	final     bool
	ack       *message
	ackTo     netip.AddrPort
}

// newClient registers a client transaction before its request is sent.
func (p *Phone) newClient(m *message, to netip.AddrPort) *client {
	c := &client{born: time.Now(), request: m, to: to, responses: make(chan *message, 32)}
	p.mu.Lock()
	if len(p.clients) > purgeOver {
		maps.DeleteFunc(p.clients, func(_ string, c *client) bool { return c.final && time.Since(c.born) > 2*lifetime })
	}
	p.clients[m.branch()+m.method] = c
	p.mu.Unlock()
	return c
}

// run sends the request, again and again as RFC 3261 §17.1 says, until the final
// response, which it returns. Provisional ones are handed to on.
func (p *Phone) run(ctx context.Context, c *client, on func(*message)) (*message, error) {
	p.send(c.request, c.to)
	invite := c.request.method == "INVITE"
	interval := t1
	again, over := time.NewTimer(interval), time.NewTimer(lifetime)
	defer again.Stop()
	defer over.Stop()
	if p.reliable() {
		again.Stop()
	}
	for {
		select {
		case m := <-c.responses:
			if m.code >= 200 {
				return m, nil
			}
			if invite {
				again.Stop()
				over.Stop()
			} else {
				interval = t2
			}
			if on != nil {
				on(m)
			}
		case <-again.C:
			p.send(c.request, c.to)
			interval *= 2
			if !invite {
				interval = min(interval, t2)
			}
			again.Reset(interval)
		case <-over.C:
			return nil, errTimeout
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-p.quit:
			return nil, ErrClosed
		}
	}
}

// do is a whole transaction without provisional responses.
func (p *Phone) do(ctx context.Context, m *message, to netip.AddrPort) (*message, error) {
	return p.run(ctx, p.newClient(m, to), nil)
}

func (p *Phone) response(m *message) {
	_, method := m.cseq()
	p.mu.Lock()
	c := p.clients[m.branch()+method]
	if c == nil {
		p.mu.Unlock()
		return
	}
	ack, to, repeated := c.ack, c.ackTo, c.final
	c.final = c.final || m.code >= 200
	p.mu.Unlock()
	if !repeated {
		select {
		case c.responses <- m:
		default: // more provisional responses than anybody waits for
		}
		return
	}
	if m.code >= 200 && ack != nil {
		p.send(ack, to)
	}
}

// acknowledge sends the ACK of a final response and keeps it for repetitions.
func (p *Phone) acknowledge(c *client, ack *message, to netip.AddrPort) {
	p.mu.Lock()
	c.ack, c.ackTo = ack, to
	p.mu.Unlock()
	p.send(ack, to)
}

// ackFailure acknowledges a failure within the transaction: same branch, To of
// the response (RFC 3261 §17.1.1.3).
func (p *Phone) ackFailure(c *client, final *message) {
	ack := &message{method: "ACK", uri: c.request.uri}
	ack.add("Via", c.request.get("Via"))
	ack.add("Max-Forwards", "70")
	ack.add("From", c.request.get("From"))
	ack.add("To", final.get("To"))
	ack.add("Call-ID", c.request.get("Call-ID"))
	n, _ := c.request.cseq()
	ack.add("CSeq", strconv.Itoa(n)+" ACK")
	p.acknowledge(c, ack, c.to)
}

// server is a server transaction. A request that comes again gets the last
// response again (RFC 3261 §17.2).
type server struct {
	born    time.Time
	request *message
	from    netip.AddrPort
	last    *message
	acked   chan struct{} // INVITE: closed by the ACK
	done    bool          // acked is closed
}

// receive finds or begins the transaction of a request; repeated requests are
// dealt with here.
func (p *Phone) receive(m *message, from netip.AddrPort) (s *server, fresh bool) {
	key := m.branch() + m.method
	p.mu.Lock()
	s = p.servers[key]
	if s == nil {
		if len(p.servers) > purgeOver {
			maps.DeleteFunc(p.servers, func(_ string, s *server) bool { return s.last != nil && time.Since(s.born) > 2*lifetime })
		}
		s = &server{born: time.Now(), request: m, from: from, acked: make(chan struct{})}
		p.servers[key] = s
		p.mu.Unlock()
		return s, true
	}
	last := s.last
	p.mu.Unlock()
	if last != nil {
		p.send(last, from)
	}
	return s, false
}

// acked notes the ACK of a final response.
func (p *Phone) acked(s *server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !s.done {
		s.done = true
		close(s.acked)
	}
}

// answer builds a response (RFC 3261 §8.2.6) with our tag.
func (p *Phone) answer(s *server, code int, reason, tag string) *message {
	m := &message{code: code, reason: reason}
	for _, v := range s.request.all("Via") {
		m.add("Via", v)
	}
	for _, v := range s.request.all("Record-Route") {
		m.add("Record-Route", v)
	}
	m.add("From", s.request.get("From"))
	to := s.request.get("To")
	if param(to, "tag") == "" && code > 100 {
		to += ";tag=" + tag
	}
	m.add("To", to)
	m.add("Call-ID", s.request.get("Call-ID"))
	m.add("CSeq", s.request.get("CSeq"))
	m.add("User-Agent", p.cfg.UserAgent)
	return m
}

// reply sends a response and keeps it for repetitions of the request.
func (p *Phone) reply(s *server, m *message) {
	p.mu.Lock()
	s.last = m
	p.mu.Unlock()
	p.send(m, s.from)
}

// insist repeats a final response to an INVITE until it is acknowledged (timer
// G, and RFC 3261 §13.3.1.4 for 2xx) and reports whether it was.
func (p *Phone) insist(s *server, m *message) bool {
	interval := t1
	again, over := time.NewTimer(interval), time.NewTimer(lifetime)
	defer again.Stop()
	defer over.Stop()
	if p.reliable() && m.code >= 300 {
		again.Stop()
	}
	for {
		select {
		case <-s.acked:
			return true
		case <-again.C:
			p.send(m, s.from)
			interval = min(2*interval, t2)
			again.Reset(interval)
		case <-over.C:
			return false
		case <-p.quit:
			return false
		}
	}
}
