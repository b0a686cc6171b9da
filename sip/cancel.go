package sip

import (
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// holdCancel is how long a CANCEL may be ahead of its INVITE: the network, or a
// proxy with two threads, can turn them round.
const holdCancel = 100 * time.Millisecond

func (e *Endpoint) receiveCancel(a arrival) {
	if e.cancelled(a) {
		return
	}
	if e.shunned(a) {
		return
	}
	time.AfterFunc(holdCancel, func() {
		if !e.closing() && !e.cancelled(a) {
			e.dismiss(a, 481)
		}
	})
}

// cancelled answers a CANCEL whose INVITE is known (RFC 3261 §9.2).
func (e *Endpoint) cancelled(a arrival) bool {
	tx, ok := e.servers.get(serverKey(a.req, sipmsg.INVITE))
	if !ok {
		return false
	}
	res := response{code: 200}
	a.flow().send(res.bytes(a.req, tx.tag, e.cfg.UserAgent), nil)
	if leg := tx.concerns(); leg != nil {
		why, _ := value(a.req, "reason")
		leg.box.post(func() { leg.cancelledBy(tx, why) })
	}
	return true
}

// cancelledBy is a CANCEL from the caller: without effect once we have answered.
func (l *Leg) cancelledBy(tx *serverTx, why string) {
	if tx != l.inbound {
		if o := l.offered; o != nil && o.tx == tx {
			l.afterOwner(func() {
				if l.offered == o {
					l.withdrawOffer()
					l.reofferNow()
				}
			})
		}
		return
	}
	l.uninvited(Ended{By: ByCancel, Code: 487, Reason: reasonOf(487), ReasonHeader: why})
}

// uninvited ends a leg whose INVITE does not hold any more.
func (l *Leg) uninvited(ev Ended) {
	if l.State() > StateEarly {
		return
	}
	l.inbound.reply(487)
	l.end(ev)
	l.forget()
}

// lapses ends the leg when its INVITE expires before it has a final response
// (RFC 3261 §13.3.1).
func (l *Leg) lapses(req *sipmsg.Request) {
	v, ok := value(req, "expires")
	if !ok {
		return
	}
	if n := uint32Of(strings.TrimSpace(v)); n < 1<<32 {
		l.lapse = l.after(time.Duration(n)*time.Second, func() {
			l.uninvited(Ended{By: ByCancel, Code: 487, Reason: "INVITE expired"})
		})
	}
}

// giveUp ends a dialled leg that has not been answered.
func (l *Leg) giveUp(why Reason) {
	o := l.outbound
	if o == nil || o.tx == nil { // still looking for the way
		l.become(StateEnded)
		l.forget()
		return
	}
	if o.cancelling {
		return
	}
	o.cancelling, o.why = true, why
	if o.heard {
		l.sendCancel()
	}
	// Else it waits for a provisional response (RFC 3261 §9.1), the answer, or
	// the INVITE's own time-out.
	o.tx.withdraw()
}

// sendCancel asks the far end to stop ringing. Its answer to the INVITE decides.
func (l *Leg) sendCancel() {
	o := l.outbound
	r := o.tx.req.sibling("CANCEL", o.tx.req.to, o.why.header())
	l.ep.transact(o.tx.way(), o.tx.branch, r, func(*sipmsg.Response) {}, nil)
	// RFC 3261 §9.1: a far end that neither answers nor fails is given up.
	tx := o.tx
	o.patience = l.after(lifetime, func() {
		tx.terminate()
		l.become(StateEnded)
		l.forget()
	})
}

// stop the timers, if any.
func (o *outgoing) stop() {
	if o != nil {
		o.patience.Stop()
		o.late.Stop()
		o.silence.Stop()
	}
}
