package phone

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"
)

// Header is a header added to a request as it is.
type Header struct{ Name, Value string }

// Options of a call to be made. The zero value is a plain call.
type Options struct {
	From     string         // user part of From; the phone's name
	Display  string         // display name; the phone's
	Called   string         // user part of To; that of the target
	Via      netip.AddrPort // send there, whatever the target says
	Codecs   []string       // instead of the phone's
	NoOffer  bool           // the offer comes with the 200 (RFC 3264 §4)
	Headers  []Header
	User     string // for a challenge; the account of Register when empty
	Password string
}

// Invite calls a SIP URI, or a user at the registrar when target has no host. It
// returns as soon as the INVITE is on its way: see Call.WaitState.
func (p *Phone) Invite(ctx context.Context, target string, o Options) (*Call, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	registrar, closed := p.account.registrar, p.closed
	if o.User == "" {
		o.User, o.Password = p.account.user, p.account.password
	}
	p.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	hop, err := hostOf(target)
	if userOf(target) == "" && registrar.IsValid() && err != nil {
		target, hop, err = fmt.Sprintf("sip:%s@%s", target, registrar), registrar, nil
	}
	if o.Via.IsValid() {
		hop, err = o.Via, nil
	}
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", target, err)
	}
	c, err := p.newCall(o)
	if err != nil {
		return nil, err
	}
	user, display := p.cfg.Name, p.cfg.Display
	if o.From != "" {
		user = o.From
	}
	if o.Display != "" {
		display = o.Display
	}
	host := p.at
	if registrar.IsValid() && registrar == hop {
		host = registrar
	}
	c.outgoing = true
	c.local = fmt.Sprintf("<sip:%s@%s>;tag=%s", user, host, c.tag)
	if display != "" {
		c.local = fmt.Sprintf("%q %s", display, c.local)
	}
	c.remote, c.target, c.hop = "<"+target+">", target, hop
	if o.Called != "" {
		c.remote = fmt.Sprintf("<sip:%s@%s>", o.Called, hop)
	}
	c.from, c.to, c.callID = c.local, c.remote, token()+"@"+p.cfg.Name
	p.mu.Lock()
	p.calls[c.callID+c.tag] = c
	p.mu.Unlock()
	p.spawn(c.dial)
	return c, nil
}

func (p *Phone) newCall(o Options) (*Call, error) {
	conn, err := p.cfg.ListenRTP(netip.AddrPortFrom(p.at.Addr(), 0))
	if err != nil {
		return nil, fmt.Errorf("socket for RTP: %w", err)
	}
	a, err := newAudio(conn, p.at.Addr(), p.cfg.Quirks.NoRTP)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if first := p.cfg.Quirks.Sequence; first != 0 {
		a.sequence = first
	}
	return &Call{
		phone: p, audio: a, options: o, tag: token(), direction: SendRecv,
		sdpID: rand.IntN(1 << 30), //nolint:gosec // an id, not a secret
	}, nil
}

// dial sends the INVITE, answers a challenge once and sees the call through to
// its answer or its failure.
func (c *Call) dial() {
	p := c.phone
	var authorization Header
	for range 2 {
		m, hop := c.request("INVITE")
		for _, h := range c.options.Headers {
			m.add(h.Name, h.Value)
		}
		m.add("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO")
		if authorization.Name != "" {
			m.add(authorization.Name, authorization.Value)
		}
		if !c.options.NoOffer {
			m.setBody("application/sdp", c.offer(SendRecv))
		}
		t := p.newClient(m, hop)
		p.mu.Lock()
		c.client = t
		p.mu.Unlock()
		final, err := p.run(context.Background(), t, c.provisional)
		if err != nil {
			c.failed(err)
			return
		}
		p.mu.Lock()
		c.headers = final
		cancelled := c.cancelled
		p.mu.Unlock()
		if final.code < 300 {
			c.answered(t, final)
			return
		}
		p.ackFailure(t, final)
		authorization = c.authorization(final, m)
		if authorization.Name == "" || cancelled {
			c.refused(final)
			return
		}
	}
	c.end(Ending{By: ByRefusal, Code: 401, Reason: "challenged again"})
}

// authorization answers a 401 or 407; empty when it cannot.
func (c *Call) authorization(final, request *message) Header {
	return credentials(final, request, c.options.User, c.options.Password)
}

func credentials(final, request *message, user, password string) Header {
	name, challenge := "Authorization", "WWW-Authenticate"
	switch final.code {
	case 401:
	case 407:
		name, challenge = "Proxy-Authorization", "Proxy-Authenticate"
	default:
		return Header{}
	}
	if user == "" {
		return Header{}
	}
	value, ok := authorize(final.all(challenge), request.method, request.uri, user, password, token())
	if !ok {
		return Header{}
	}
	return Header{name, value}
}

func (c *Call) failed(err error) {
	e := Ending{By: ByError, Reason: err.Error()}
	if errors.Is(err, errTimeout) {
		e = Ending{By: ByTimeout, Code: 408, Reason: "Request Timeout"}
	}
	c.end(e)
}

func (c *Call) refused(final *message) {
	c.phone.mu.Lock()
	by := ByRefusal
	if c.cancelled {
		by = ByUs
	}
	c.phone.mu.Unlock()
	c.end(Ending{By: by, Code: final.code, Reason: final.reason, Header: final.get("Reason")})
}

func (c *Call) provisional(m *message) {
	p := c.phone
	p.mu.Lock()
	c.started, c.headers = true, m
	c.progress = append(c.progress, m.code)
	cancel := c.cancelled
	p.mu.Unlock()
	if m.code > 100 {
		c.prack(m)
		c.advance(Ringing)
	} else {
		c.advance(Trying)
	}
	if m.hasSDP() {
		// Early media: listened to as the answer will be, spoken after it.
		if err := c.take(m); err != nil {
			p.cfg.Log.Warn("early media", "phone", p.cfg.Name, "err", err)
		}
	}
	if cancel {
		c.sendCancel()
	}
}

// answered takes the 2xx: the dialog, the description, the ACK.
func (c *Call) answered(t *client, final *message) {
	p := c.phone
	p.mu.Lock()
	c.remote = final.get("To")
	c.learn(final, t.to)
	seq, _ := t.request.cseq()
	ack := c.build("ACK", seq)
	hop, cancelled := c.hop, c.cancelled
	p.mu.Unlock()
	var err error
	switch {
	case c.options.NoOffer:
		if sdp, ok := c.counter(final); ok {
			ack.setBody("application/sdp", sdp)
		} else {
			err = errors.New("the 200 has no offer we can answer")
		}
	case final.hasSDP():
		err = c.take(final)
	default:
		err = c.take(c.earlier())
	}
	c.confirm(t, ack, hop)
	if err != nil || cancelled {
		// The 200 crossed the CANCEL, or is of no use: RFC 3261 §15.
		_ = c.bye(context.Background()) // the call is over, whatever comes back
		e := Ending{By: ByUs}
		if err != nil {
			e = Ending{By: ByError, Reason: err.Error()}
		}
		c.end(e)
		return
	}
	c.audio.speak()
	c.advance(Established)
}

// earlier stands for a 2xx without a description: the one of the provisional
// response counts, and was taken already.
func (c *Call) earlier() *message {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	s := c.theirs
	if !s.at.IsValid() {
		return &message{}
	}
	return &message{body: describe(0, 0, s.at, s.codecs, s.types, s.event, s.direction, protection{s.profile, s.crypto})}
}

func (c *Call) confirm(t *client, ack *message, hop netip.AddrPort) {
	p := c.phone
	switch q := p.cfg.Quirks; {
	case q.NoACK:
	case q.LateACK > 0:
		p.spawn(func() {
			if p.pause(q.LateACK) {
				p.acknowledge(t, ack, hop)
			}
		})
	default:
		p.acknowledge(t, ack, hop)
	}
}

// Cancel takes an unanswered call back and waits until it has ended. The CANCEL
// goes out after the first provisional response (RFC 3261 §9.1).
func (c *Call) Cancel(ctx context.Context) error {
	p := c.phone
	p.mu.Lock()
	if !c.outgoing || c.state >= Answered {
		s := c.state
		p.mu.Unlock()
		return fmt.Errorf("cannot cancel a call that is %v", s)
	}
	c.cancelled = true
	now := c.started
	p.mu.Unlock()
	if now {
		c.sendCancel()
	}
	return c.WaitState(ctx, Ended)
}

// cancel is a CANCEL with the INVITE's own Via, From, To, Call-ID and number
// (§9.1).
func (t *client) cancel() *message {
	seq, _ := t.request.cseq()
	m := &message{method: "CANCEL", uri: t.request.uri}
	for _, name := range []string{"Via", "Max-Forwards", "From", "To", "Call-ID"} {
		m.add(name, t.request.get(name))
	}
	m.add("CSeq", fmt.Sprintf("%d CANCEL", seq))
	return m
}

// sendCancel sends it once.
func (c *Call) sendCancel() {
	p := c.phone
	p.mu.Lock()
	if c.cancelSent {
		p.mu.Unlock()
		return
	}
	c.cancelSent = true
	t := c.client
	p.mu.Unlock()
	m := t.cancel()
	p.spawn(func() {
		if _, err := p.do(context.Background(), m, t.to); err != nil {
			c.failed(err)
			return
		}
		// RFC 3261 §9.1: no 487 within 64*T1 is as good as one.
		if p.pause(64 * 500 * time.Millisecond) {
			c.end(Ending{By: ByTimeout, Code: 487, Reason: "never confirmed"})
		}
	})
}
