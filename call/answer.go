package call

import (
	"fmt"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/sip"
)

// acceptable finds out before anything rings whether the caller's offer can be
// answered at all. Without an offer ours goes into the 200 (RFC 3261 section
// 13.2.1).
func (c *Call) acceptable(in *sip.Invitation) error {
	c.caller.sound.ExpectFrom(in.Source.Addr())
	if len(c.offer) == 0 {
		return nil
	}
	var err error
	c.speaks, err = c.caller.sound.Consider(c.offer)
	return err
}

// describe is the session description for the caller, made once: the 200 says
// what an earlier 183 said (RFC 3261 section 13.3.1.4).
func (c *Call) describe() ([]byte, error) {
	if c.described != nil {
		return c.described, nil
	}
	if len(c.offer) == 0 {
		c.described = c.caller.sound.Offer()
		return c.described, nil
	}
	sdp, err := c.caller.sound.Answer(c.offer)
	if err != nil {
		return nil, fmt.Errorf("answer the caller's offer: %w", err)
	}
	c.described = sdp
	return sdp, nil
}

// answer answers the caller; by is who takes the call. Answered already: fine.
// On the loop.
func (c *Call) answer(by string) error {
	if c.ending != nil {
		return ErrEnded
	}
	if c.caller.answered {
		return nil
	}
	sdp, err := c.describe()
	if err != nil {
		c.end(unacceptable(err))
		return err
	}
	c.caller.answered = true
	c.caller.sig.Answer(sdp)
	now := c.now()
	c.record.Status = events.StatusInProgress
	c.record.AnsweredAt, c.record.AnsweredBy = &now, by
	c.log.Info("call answered", "by", by)
	c.tell(&events.Answered{AnsweredBy: by, AnsweredAt: now}, now)
	c.limit()
	c.recordByFlow(flows.RecordOnAnswer)
	if c.hunt.rings() {
		c.ringback() // the phone's own tone has ended with the answer
	}
	return nil
}

// ring lets the caller hear that somebody is being rung: 180, once, before the
// answer. On the loop.
func (c *Call) ring() {
	if c.ending != nil || c.caller.answered || c.record.RingingAt != nil {
		return
	}
	if c.insists && len(c.offer) == 0 {
		// The first of them has our offer (RFC 3262 section 5).
		if sdp, err := c.describe(); err == nil {
			c.caller.sig.Progress(180, sdp)
		}
	} else {
		c.caller.sig.Ring()
	}
	c.rang()
}

// early passes a far end's own sound on before it answers (183, RFC 3960).
func (c *Call) early() error {
	sdp, err := c.describe()
	if err != nil {
		return err
	}
	c.caller.sig.Progress(183, sdp)
	c.rang()
	return nil
}

// rang tells of the first ringing.
func (c *Call) rang() {
	if c.record.RingingAt != nil {
		return
	}
	now := c.now()
	c.record.RingingAt, c.record.Status = &now, events.StatusRinging
	c.tell(&events.Ringing{RingingAt: now}, now)
}

// limit ends the call when it has lasted as long as any may.
func (c *Call) limit() {
	if c.sys.MaxDuration <= 0 {
		return
	}
	c.lease = c.loop.After(c.sys.MaxDuration, func() {
		c.end(ending{
			reason: string(flows.TimeLimit), source: bySystem,
			why: sip.Reason{Protocol: "SIP", Cause: 408, Text: "Time limit reached"},
		})
	})
}
