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
	if l.role != uas || l.State() > StateEarly || code <= 100 || code > 199 {
		return
	}
	l.become(StateEarly)
	l.inbound.respond(response{code: code, contact: l.dialog.contact, headers: sessionHeaders,
		contentType: sdpType, content: sdp})
	l.ringing.Stop()
	l.ringing = l.after(provisionalEvery, l.repeatProgress)
}

// repeatProgress goes on until there is a final response.
func (l *Leg) repeatProgress() {
	if !l.is(StateEarly) {
		return
	}
	l.inbound.resend()
	l.ringing = l.after(provisionalEvery, l.repeatProgress)
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

// answer accepts the INVITE that made the leg.
func (l *Leg) answer(sdp []byte) {
	if l.role != uas || l.State() > StateEarly {
		return
	}
	if !l.accept(l.inbound, sdp, &accepted{first: true}) {
		return
	}
	l.become(StateAnswered)
}

// accept sends a 200 to an INVITE and repeats it until the ACK comes.
func (l *Leg) accept(tx *serverTx, sdp []byte, a *accepted) bool {
	seq := tx.req.CSeq().SeqNo
	if !tx.respond(response{code: 200, contact: l.dialog.contact, headers: sessionHeaders,
		contentType: sdpType, content: sdp}) {
		return false
	}
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
