package phone

import (
	"context"
	"fmt"
	"net/netip"
)

const allow = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO"

// request takes a request off the socket.
func (p *Phone) request(m *message, from netip.AddrPort) {
	if m.method == "ACK" {
		p.confirmed(m)
		return
	}
	if m.method == "INVITE" && p.cfg.Quirks.Silent {
		return
	}
	s, fresh := p.receive(m, from)
	if !fresh {
		return
	}
	c := p.callOf(m)
	switch {
	case m.method == "CANCEL":
		p.cancelled(s)
	case m.method == "INVITE" && c != nil:
		c.reinvited(s)
	case m.method == "INVITE" && param(m.get("To"), "tag") == "":
		p.invited(s)
	case c != nil:
		c.inDialog(s)
	case p.subscribed(m):
		p.outside(s)
	case param(m.get("To"), "tag") != "" || m.method == "BYE":
		p.reply(s, p.answer(s, 481, "Call/Transaction Does Not Exist", token()))
	default:
		p.outside(s)
	}
}

// callOf finds the dialog of a request: by Call-ID and our tag.
func (p *Phone) callOf(m *message) *Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[m.get("Call-ID")+param(m.get("To"), "tag")]
}

func (p *Phone) outside(s *server) {
	p.mu.Lock()
	p.requests[s.request.method]++
	if s.request.method == "NOTIFY" {
		p.notice(s.request)
	}
	p.wake()
	p.mu.Unlock()
	code, reason := 200, "OK"
	switch s.request.method {
	case "OPTIONS", "NOTIFY", "MESSAGE":
	case "REGISTER":
		if p.cfg.Quirks.Registrar > 0 {
			p.registered(s)
			return
		}
		code, reason = 405, "Method Not Allowed"
	default:
		code, reason = 405, "Method Not Allowed"
	}
	m := p.answer(s, code, reason, token())
	m.add("Allow", allow)
	p.reply(s, m)
}

// registered plays the registrar of a carrier.
func (p *Phone) registered(s *server) {
	m := p.answer(s, 200, "OK", token())
	if s.request.get("Expires") != "0" {
		m.add("Contact", fmt.Sprintf("%s;expires=%d", s.request.get("Contact"), int(p.cfg.Quirks.Registrar.Seconds())))
	}
	p.reply(s, m)
}

// invited begins an incoming call.
func (p *Phone) invited(s *server) {
	c, err := p.newCall(Options{})
	if err != nil {
		p.cfg.Log.Warn("incoming call", "phone", p.cfg.Name, "err", err)
		p.reply(s, p.answer(s, 500, "Server Internal Error", token()))
		return
	}
	m := s.request
	p.mu.Lock()
	c.from, c.to, c.headers, c.callID = m.get("From"), m.get("To"), m, m.get("Call-ID")
	c.local, c.remote = m.get("To")+";tag="+c.tag, m.get("From")
	c.learn(m, s.from)
	c.invite = s
	p.calls[c.callID+c.tag] = c
	p.mu.Unlock()
	if !p.cfg.Quirks.NoTrying {
		p.reply(s, p.answer(s, 100, "Trying", ""))
	}
	c.advance(Trying)
	q := p.cfg.Quirks
	switch {
	case q.RejectWith > 0:
		c.reject(q.RejectWith, "")
	case q.AnswerAfter > 0:
		c.Ring()
		p.spawn(func() {
			if p.pause(q.AnswerAfter) && c.Accept() != nil {
				return
			}
		})
	}
	p.mu.Lock()
	p.incoming = append(p.incoming, c)
	p.wake()
	p.mu.Unlock()
}

// cancelled is a CANCEL (RFC 3261 §9.2).
func (p *Phone) cancelled(s *server) {
	p.mu.Lock()
	invite := p.servers[s.request.branch()+"INVITE"]
	var c *Call
	for _, one := range p.calls {
		if invite != nil && one.invite == invite && one.state < Answered {
			c = one
		}
	}
	p.mu.Unlock()
	if invite == nil {
		p.reply(s, p.answer(s, 481, "Call/Transaction Does Not Exist", token()))
		return
	}
	tag := token()
	if c != nil {
		tag = c.tag
	}
	p.reply(s, p.answer(s, 200, "OK", tag))
	if c != nil {
		c.refuse(487, phrases[487])
		c.end(Ending{By: ByThem, Code: 487, Reason: phrases[487], Header: s.request.get("Reason")})
	}
}

// confirmed is an ACK: of a failure it has the branch of its INVITE, of a 2xx
// only dialog and number are the same.
func (p *Phone) confirmed(m *message) {
	p.mu.Lock()
	s := p.servers[m.branch()+"INVITE"]
	p.mu.Unlock()
	if s != nil {
		p.acked(s)
		return
	}
	c := p.callOf(m)
	if c == nil {
		return
	}
	p.mu.Lock()
	s = c.invite
	p.mu.Unlock()
	if s == nil {
		return
	}
	ours, _ := s.request.cseq()
	if theirs, _ := m.cseq(); theirs != ours {
		return
	}
	if m.hasSDP() && !s.request.hasSDP() {
		if err := c.take(m); err != nil {
			p.cfg.Log.Warn("answer in ACK", "phone", p.cfg.Name, "err", err)
		}
	}
	p.acked(s)
	c.advance(Established)
}

// inDialog is a request of a call other than INVITE.
func (c *Call) inDialog(s *server) {
	p := c.phone
	switch s.request.method {
	case "BYE":
		p.reply(s, p.answer(s, 200, "OK", c.tag))
		c.end(Ending{By: ByThem, Header: s.request.get("Reason")})
	case "INFO":
		p.mu.Lock()
		c.infos = append(c.infos, string(s.request.body))
		p.wake()
		p.mu.Unlock()
		p.reply(s, p.answer(s, 200, "OK", c.tag))
	case "PRACK":
		c.pracked(s)
	case "UPDATE":
		c.updated(s)
	case "NOTIFY":
		c.notify(s)
	case "OPTIONS":
		p.reply(s, p.answer(s, 200, "OK", c.tag))
	default:
		m := p.answer(s, 405, "Method Not Allowed", c.tag)
		m.add("Allow", allow)
		p.reply(s, m)
	}
}

// reinvited answers a re-INVITE (RFC 3261 §14.2).
func (c *Call) reinvited(s *server) {
	p := c.phone
	p.mu.Lock()
	pending := c.client != nil && !c.client.final
	if !pending {
		c.invite = s
		c.learn(s.request, s.from)
	}
	p.mu.Unlock()
	m := p.answer(s, 200, "OK", c.tag)
	m.add("Contact", "<"+p.URI()+">")
	code := p.cfg.Quirks.Refuse
	switch {
	case pending:
		code = 491
	case code > 0:
	case !s.request.hasSDP():
		m.setBody("application/sdp", c.offer(SendRecv))
	default:
		sdp, ok := c.counter(s.request)
		if !ok {
			code = 488
			break
		}
		m.setBody("application/sdp", sdp)
	}
	if code > 0 {
		m = p.answer(s, code, phrases[code], c.tag)
	}
	p.reply(s, m)
	p.spawn(func() {
		if !p.insist(s, m) && code == 0 && c.State() != Ended {
			_ = c.bye(context.Background()) // nobody may be there
			c.end(Ending{By: ByTimeout})
		}
	})
}
