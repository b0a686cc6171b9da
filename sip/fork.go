package sip

import (
	sipmsg "github.com/emiago/sipgo/sip"
)

// forked takes a 2xx to our INVITE. A proxy that forked it may deliver several,
// from different phones: the first wins, each of the others is acknowledged and
// sent home (RFC 3261 §13.2.2.4).
func (l *Leg) forked(res *sipmsg.Response) {
	o := l.outbound
	tag := tagOf(res.To().Params)
	if a, ok := o.forks[tag]; ok {
		a.way.send(a.data, nil) // our ACK was lost
		return
	}
	if l.State() <= StateEarly && !o.cancelling {
		l.join(res, tag)
		data, way := l.dialog.ack(res.CSeq().SeqNo)
		o.forks[tag] = acked{data, way}
		l.become(StateConfirmed)
		l.tell(Answered{SDP: sdpOf(res)})
		return
	}
	loser := &Leg{ep: l.ep, log: l.log, role: uac, id: l.id, credentials: l.credentials, dialog: l.dialog}
	loser.box.onPanic = l.box.onPanic
	loser.state.Store(int32(StateEnded))
	loser.join(res, tag)
	data, way := loser.dialog.ack(res.CSeq().SeqNo)
	o.forks[tag] = acked{data, way}
	why := o.why
	if why == (Reason{}) {
		why = Reason{Protocol: "SIP", Cause: 200, Text: "Call completed elsewhere"}
	}
	loser.transact("BYE", func(r *request) { r.headers = why.header() }, func(*sipmsg.Response) {}, func(error) {})
	if o.cancelling && !l.is(StateEnded) {
		// The answer crossed our CANCEL.
		l.become(StateEnded)
		l.forget()
	}
}

// join makes the dialog of a 2xx (RFC 3261 §12.1.2).
func (l *Leg) join(res *sipmsg.Response, tag string) {
	d := &l.dialog
	d.remoteTag = tag
	d.remote = plain(res.To().Value())
	d.routes = routeSet(res, true)
	if !l.refresh(res) {
		l.aim() // no Contact: the Request-URI has to do
	}
}
