package call

import (
	"context"

	"b2bua/media"
	"b2bua/sip"
)

// Replace lets the phone behind an invitation take the place of another phone of
// the same device (RFC 3891): a colleague's desk phone answers what rings on the
// mobile, or goes on with what was begun there. legID is the leg of that phone.
// code refuses the invitation, which has not been taken then.
func (r *Registry) Replace(ctx context.Context, in *sip.Invitation, legID string) (code int) {
	c, ok := r.byLeg(legID)
	if !ok {
		return 481
	}
	code = 481
	_ = c.loop.Call(ctx, func() { code = c.replace(in, legID) })
	return code
}

// replace is done on the loop.
func (c *Call) replace(in *sip.Invitation, legID string) (code int) {
	old, rings := c.seated(legID)
	switch {
	case c.ending != nil || old == nil || old.over:
		return 481
	case in.Device == nil || in.Device.ID != old.account.device:
		return 403
	case old.answered && !c.talking():
		return 403 // a menu, or the like, has it
	}
	l, sdp, code := c.open(in, old)
	if code != 0 {
		return code
	}
	l.sig = in.Take(l.post, l.event)
	l.answered = true
	c.legs = append(c.legs, l)
	c.sys.Calls.enter(l)
	l.sig.Answer(sdp)
	c.log.Info("leg replaced", "leg", old.name, "source", in.Source)
	elsewhere := sip.Reason{Protocol: "SIP", Cause: 200, Text: "Call completed elsewhere"}
	switch {
	case old == c.caller:
		c.record.ReplacedBy = append(c.record.ReplacedBy, l.sig.CallID())
		c.offer, c.settled = in.Offer, false
		muted := c.muted
		c.sit(l)
		if c.muted = muted; muted { // the person is the same
			l.sound.Mute(true)
		}
	case old.answered:
		media.Unbridge(c.caller.sound, old.sound)
		c.hunt.talk.leg, l.on = l, c.hunt.talk.event
		c.attemptEnded(c.hunt.talk.attempt)
		c.hunt.talk.attempt = c.attemptJoined(l)
		c.peer = l
	default: // it still rings: taken here, and nowhere else
		h := rings.hunt
		p := &prong{leg: l, hunt: h, target: rings.target, attempt: c.attempt(h.to, rings.target)}
		c.record.Attempts[p.attempt].SIPCallID = l.sig.CallID()
		l.on = p.event
		h.prongs = append(h.prongs, p)
		h.won(p)
		return 0
	}
	old.hangup(elsewhere)
	c.drop(old)
	c.follows(l, old)
	return 0
}

// follows lets the other party talk to l instead of to old: what the API holds
// stays held, but whether l's phone holds is its own affair.
func (c *Call) follows(l, old *leg) {
	if !c.onHold {
		media.Bridge(c.caller.sound, c.peer.sound)
	}
	if l != c.caller {
		c.bridged(c.record.BridgedTo)
	}
	l.held = old.held
	c.heldNow(l)
	c.soothe()
}

// seated finds a leg of the call by the id of its signalling, and the prong when
// it is one that rings.
func (c *Call) seated(id string) (*leg, *prong) {
	for _, l := range []*leg{c.caller, c.peer} {
		if l != nil && l.sig.ID() == id {
			return l, nil
		}
	}
	if c.hunt != nil && c.hunt.talk == nil {
		for _, p := range c.hunt.prongs {
			if p.leg.sig.ID() == id {
				return p.leg, p
			}
		}
	}
	return nil, nil
}

// open makes a leg for an invitation that takes old's place.
func (c *Call) open(in *sip.Invitation, old *leg) (l *leg, sdp []byte, code int) {
	l = c.newLeg(old.name)
	l.account, l.via, l.who, l.reach = old.account, old.via, old.who, old.reach
	digits := c.digitsOf(l)
	sound, err := c.sys.Media.Open(media.Options{
		Digits: digits, OnDigit: l.digit, SendDigit: l.bySignalling(digits), OnLost: l.lost, OnWorn: l.worn,
		SRTP: c.protection(l.account), Log: c.log.With("leg", l.name),
	})
	if err != nil {
		c.log.Error("open media for a leg that replaces another", "err", err)
		return nil, nil, 503
	}
	l.sound = sound
	sound.ExpectFrom(in.Source.Addr())
	if len(in.Offer) == 0 {
		return l, sound.Offer(), 0
	}
	if sdp, err = sound.Answer(in.Offer); err != nil {
		c.log.Info("offer of a leg that replaces another", "err", err)
		c.behind(l.close)
		return nil, nil, 488
	}
	return l, sdp, 0
}

// accepted: the ACK of our answer to a phone that took another's place came,
// with its description when it had made no offer.
func (c *Call) accepted(l *leg, sdp []byte) {
	if len(sdp) == 0 {
		return
	}
	if err := l.sound.Accept(sdp); err != nil {
		c.log.Info("answer in ACK", "leg", l.name, "err", err)
		l.hangup(sip.Reason{Protocol: "SIP", Cause: 488, Text: "Not Acceptable Here"})
		return
	}
	c.heldNow(l)
}
