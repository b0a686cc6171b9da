package sip

import (
	"time"

	"b2bua/internal/loop"
)

// provisionalEvery is how often a provisional response is repeated: a proxy gives
// an INVITE up after three minutes of silence (RFC 3261 §13.3.1.1). A little less
// than the minute asked for, at which many a ring time-out is set.
const provisionalEvery = 55 * time.Second

// progress sends a provisional response.
func (l *Leg) progress(code int, sdp []byte) {
	if l.role != uas || l.State() > StateEarly || code <= 100 || code > 199 || l.reliable.holding {
		return
	}
	sdp, reliably, ok := l.reliable.describes(sdp)
	if !ok {
		return
	}
	l.become(StateEarly)
	if reliably {
		l.sendReliably(provisional{code, sdp})
	} else {
		l.inbound.respond(response{code: code, contact: l.dialog.contact, headers: sessionHeaders,
			contentType: sdpType, content: sdp})
	}
	l.ringing.Stop()
	l.ringing = l.after(provisionalEvery, func() { l.repeatProgress(code) })
}

// repeatProgress goes on until there is a final response. What was acknowledged
// is not repeated: the code is told anew.
func (l *Leg) repeatProgress(code int) {
	switch {
	case !l.is(StateEarly):
	case l.reliable.rseq != 0:
		l.progress(code, nil)
	default:
		l.inbound.resend()
		l.ringing = l.after(provisionalEvery, func() { l.repeatProgress(code) })
	}
}

// accepted is a 2xx of ours until its ACK comes: the far end's transaction ends
// with the first 2xx, so it is for us to repeat it (RFC 3261 §13.3.1.4).
type accepted struct {
	tx       *serverTx
	seq      uint32
	first    bool // to the INVITE that made the dialog
	late     bool // our offer is in it, the answer comes with the ACK
	interval time.Duration
	passed   time.Duration
	timer    *loop.Timer
}

func (a *accepted) stop() {
	if a != nil {
		a.timer.Stop()
	}
}

// answer accepts the INVITE that made the leg: not before a description that it
// stands by has been acknowledged (RFC 3262 §3).
func (l *Leg) answer(sdp []byte) {
	r := &l.reliable
	if l.role != uas || l.State() > StateEarly || r.holding {
		return
	}
	r.queue = nil
	if r.unacked != nil && r.unacked.sdp != nil || l.offered != nil {
		r.holding, r.held = true, sdp
		return
	}
	if r.agreed {
		sdp = nil // the offer has its answer
	}
	req := l.inbound.request()
	if req == nil {
		return
	}
	terms, _ := l.timed(req) // an interval that is too brief was refused at once
	if !l.accept(l.inbound, sdp, terms, &accepted{first: true}) {
		return
	}
	l.become(StateAnswered)
}

// accept sends a 200 to an INVITE and repeats it until the ACK comes.
func (l *Leg) accept(tx *serverTx, sdp []byte, t terms, a *accepted) bool {
	req := tx.request()
	if req == nil {
		return false
	}
	seq := req.CSeq().SeqNo
	if !tx.respond(response{code: 200, contact: l.dialog.contact, headers: t.headers(),
		contentType: sdpType, content: sdp}) {
		return false
	}
	if sdp != nil {
		l.dialog.said = sdp
	}
	l.keep(t)
	a.tx, a.seq, a.interval = tx, seq, t1
	l.accepted = a
	a.timer = l.after(a.interval, l.repeatAnswer)
	return true
}

func (l *Leg) repeatAnswer() {
	a := l.accepted
	if a == nil {
		return
	}
	a.passed += a.interval
	if a.passed >= lifetime {
		l.accepted = nil
		l.log.Info("no ACK came", "dialog", l.dialog.callID)
		silenced := l.goodbye != nil
		l.tell(Ended{By: ByAckTimeout, Code: 408, Reason: "No ACK"})
		why := Reason{Protocol: "SIP", Cause: 408, Text: "No ACK"}
		if silenced {
			why = *l.goodbye
		}
		l.bye(why)
		return
	}
	a.tx.resend()
	// 0.5, 1, 2, 4, 4 … and, in the end, exactly 64*T1.
	a.interval = min(2*a.interval, t2, lifetime-a.passed)
	a.timer = l.after(a.interval, l.repeatAnswer)
}
