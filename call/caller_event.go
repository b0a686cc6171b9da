package call

import "b2bua/sip"

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
		c.reanswered(c.caller, ev.SDP)
	case sip.InfoReceived:
		c.info(c.caller, ev.ContentType, ev.Body)
	case sip.Ended:
		c.caller.over = true
		c.end(callerEnded(ev, c.caller.answered))
	}
}

// confirmed: the ACK of our 200 came. A caller who sent no offer answers here.
func (c *Call) confirmed(sdp []byte) {
	if len(sdp) == 0 {
		return
	}
	if err := c.caller.sound.Accept(sdp); err != nil {
		c.log.Info("answer in ACK", "err", err)
		c.end(unacceptable(err))
	}
}
