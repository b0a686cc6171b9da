package call

import (
	"errors"
	"time"

	"b2bua/sip"
)

// callerEvent is the table for the caller's leg: what the caller does, and what
// that means for the call.
func (c *Call) callerEvent(ev sip.Event) {
	if c.ending != nil {
		return
	}
	switch ev := ev.(type) {
	case sip.Confirmed:
		c.confirmed(ev.SDP)
	case sip.Offered:
		c.reoffered(c.caller, ev)
	case sip.Reanswered:
		c.settled = true
		c.reanswered(c.caller, ev.SDP)
	case sip.ReofferRefused:
		c.parkAnswered(c.caller, false)
	case sip.InfoReceived:
		c.info(c.caller, ev.ContentType, ev.Body)
	case sip.Referred:
		c.referred(c.caller, ev)
	case sip.Ended:
		c.caller.over = true
		if c.transfer.completes() {
			c.transfer.complete()
			return
		}
		c.end(callerEnded(ev, c.caller.answered))
	}
}

// confirmed: the ACK of our 200 came. A caller who sent no offer answers here.
func (c *Call) confirmed(sdp []byte) {
	if len(sdp) == 0 {
		if len(c.offer) == 0 && !c.settled {
			// A BYE in place of the ACK confirms, too, and says more: it goes first.
			c.loop.After(100*time.Millisecond, func() { c.end(unacceptable(errNoAnswer)) })
		}
		return
	}
	if err := c.caller.sound.Accept(sdp); err != nil {
		c.log.Info("answer in ACK", "err", err)
		c.end(unacceptable(err))
		return
	}
	c.heldNow(c.caller)
}

// errNoAnswer: our offer in the 200 was not answered in the ACK (RFC 3261
// section 13.2.1), so there is no session and never will be.
var errNoAnswer = errors.New("the ACK has no answer to our offer")
