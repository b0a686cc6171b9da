package sip

import (
	sipmsg "github.com/emiago/sipgo/sip"
)

func (l *Leg) receiveBye(d *dialog, tx *serverTx) {
	why, _ := value(tx.req, "reason")
	tx.reply(200)
	switch l.State() {
	case StateCalling, StateEarly:
		if l.role == uas {
			// The caller gives up an early dialog by BYE (RFC 3261 §15).
			l.inbound.reply(487)
		} else {
			d.over = true
			if l.offered != nil && l.offered.dialog == d {
				l.withdrawOffer()
			}
			if l.outbound.alone(d) { // else the other phones ring on
				l.tell(Ended{By: ByBye, ReasonHeader: why})
				l.giveUp(Reason{})
			}
			return
		}
	case StateAnswered:
		// Who says goodbye has heard our answer: the ACK was lost or overtaken.
		l.goodbye = nil
		l.settle(nil)
	}
	l.end(Ended{By: ByBye, ReasonHeader: why})
	l.forget()
}

// bye ends the dialog from our side.
func (l *Leg) bye(why Reason) {
	if l.referral != nil {
		l.referral.over = true
	}
	l.become(StateEnded)
	// The dialog stays known until the far end has heard, for its own BYE may be
	// under way.
	l.transact("BYE", func(r *request) { r.headers = why.header() }, func(*sipmsg.Response) { l.forget() }, func(error) { l.forget() })
}

// hangup ends the leg by what its state demands.
func (l *Leg) hangup(why Reason) {
	switch {
	case l.is(StateEnded):
	case l.is(StateConfirmed):
		l.bye(why)
	case l.is(StateAnswered):
		// RFC 3261 §15: no BYE before the ACK, or before it is overdue.
		l.goodbye = &why
	case l.role == uas:
		l.reject(480, "", why.header())
	default:
		l.giveUp(why)
	}
}

// reject answers the INVITE that made the leg with a failure.
func (l *Leg) reject(code int, reason string, headers []Header) {
	if l.role != uas || l.State() > StateEarly {
		if !l.is(StateEnded) {
			l.hangup(Reason{Protocol: "SIP", Cause: code, Text: reason})
		}
		return
	}
	if code < 300 || code > 699 {
		code = 500
	}
	l.inbound.respond(response{code: code, reason: reason, headers: safe(headers, "contact")})
	l.become(StateEnded)
	l.forget()
}

// collapse ends a leg after a fault of ours.
func (l *Leg) collapse() {
	if l.is(StateEnded) {
		l.forget()
		return
	}
	ended := Ended{By: ByTransport, Code: 500, Reason: "Internal error"}
	l.tell(ended)
	switch {
	case l.role == uas && l.State() <= StateEarly:
		l.reject(500, "", nil)
	case l.State() <= StateEarly:
		l.giveUp(Reason{})
	default:
		l.bye(Reason{Protocol: "SIP", Cause: 500})
	}
}
