package sip

import (
	sipmsg "github.com/emiago/sipgo/sip"
)

// maxForks bounds how many phones behind a forking proxy are remembered.
const maxForks = 16

// early gives the dialog of a To tag (RFC 3261 §12.1), a new one when the tag is
// new; nil when there are too many.
func (l *Leg) early(tag string) *dialog {
	o := l.outbound
	if d, ok := o.early[tag]; ok {
		return d
	}
	if len(o.early) >= maxForks {
		return nil
	}
	d := o.fork(tag)
	l.aim(d)
	o.early[tag] = d
	return d
}

// fork is a dialog that the INVITE has made, with the phone of a To tag. Our
// Contact is the one that the INVITE had, by whichever way it went in the end.
func (o *outgoing) fork(tag string) *dialog {
	d := *o.root
	d.remoteTag = tag
	d.contact = o.tx.contact()
	if tag != "" { // RFC 2543 knew dialogs without
		d.remote += ";tag=" + tag
	}
	return &d
}

// join makes, or makes anew, the dialog of a response (RFC 3261 §12.1.2, and
// §13.2.2.4 for the route set).
func (l *Leg) join(d *dialog, res *sipmsg.Response) {
	d.formed = true
	d.remote = plain(res.To().Value())
	d.routes = routeSet(res, true)
	if !l.refresh(d, res) {
		l.aim(d) // no Contact: the Request-URI has to do
	}
}

// dialogOf finds the dialog of a request by the far end's tag. What overtakes
// the response that makes its dialog makes it itself.
func (l *Leg) dialogOf(tag string) *dialog {
	o := l.outbound
	switch {
	case l.dialog.remoteTag == tag && (tag != "" || o == nil || l.State() > StateEarly):
		return l.dialog
	case o == nil || tag == "":
		return nil
	case l.State() <= StateEarly:
		return l.early(tag)
	}
	return o.early[tag]
}

// knows reports whether a tag is that of a dialog there is.
func (l *Leg) knows(tag string) bool {
	switch {
	case tag == "":
		return false
	case l.dialog.remoteTag == tag:
		return true
	case l.outbound == nil || l.State() > StateEarly:
		return false
	}
	d, ok := l.outbound.early[tag]
	return ok && !d.over
}

// alone reports whether no other early dialog than d is left.
func (o *outgoing) alone(d *dialog) bool {
	for _, other := range o.early {
		if other != d && !other.over {
			return false
		}
	}
	return true
}

// forked takes a 2xx to our INVITE. A proxy that forked it may deliver several,
// from different phones: the first wins, each of the others is acknowledged and
// sent home (RFC 3261 §13.2.2.4).
func (l *Leg) forked(res *sipmsg.Response) {
	o := l.outbound
	tag := tagOf(res.To().Params)
	d, ok := o.early[tag]
	if !ok {
		d = o.fork(tag) // an answer is taken however many there are
		if len(o.early) < maxForks {
			o.early[tag] = d
		}
	}
	wins := l.State() <= StateEarly && !o.cancelling && !d.over
	if !l.acknowledge(d, o.tx, res, wins) {
		return
	}
	switch {
	case wins:
		l.dialog = d
		if l.offered != nil && l.offered.dialog != d {
			l.withdrawOffer() // of a phone that does not count any more
		}
		l.become(StateConfirmed)
		d.note(res)
		l.timedBy(res)
		l.answeredBy(d, res)
		return
	case d.over && !o.cancelling && !l.is(StateEnded): // its BYE overtook the answer
		l.end(Ended{By: ByBye})
		l.forget()
		return
	}
	why := o.why
	if why == (Reason{}) {
		why = Reason{Protocol: "SIP", Cause: 200, Text: "Call completed elsewhere"}
	}
	l.farewell(d, why)
	if o.cancelling && !l.is(StateEnded) {
		// The answer crossed our CANCEL.
		l.become(StateEnded)
		l.forget()
	}
}

// acknowledge sends the ACK for a 2xx, each time it comes (RFC 3261 §13.2.2.4),
// and reports whether it came for the first time. Of too many phones the ones
// that have not won are not remembered: each 2xx of theirs is the first.
func (l *Leg) acknowledge(d *dialog, tx *clientTx, res *sipmsg.Response, wins bool) bool {
	o := l.outbound
	if a, ok := o.forks[d.remoteTag]; ok {
		a.way.send(a.data, nil) // our ACK was lost
		return false
	}
	l.join(d, res)
	data, way := d.ack(tx)
	if wins || len(o.forks) < maxForks {
		o.forks[d.remoteTag] = acked{data, way}
	}
	return true
}

// farewell ends the dialog of a phone that nobody talks to.
func (l *Leg) farewell(d *dialog, why Reason) {
	l.within(d, "BYE", func(r *request) { r.headers = why.header() }, func(*sipmsg.Response) {}, func(error) {})
}

// sendHome acknowledges a 2xx that nobody waits for any more, and hangs up.
func (l *Leg) sendHome(tx *clientTx, res *sipmsg.Response, why Reason) {
	d := l.outbound.fork(tagOf(res.To().Params))
	d.peer, d.next = tx.way(), tx.way()
	if l.acknowledge(d, tx, res, false) {
		l.farewell(d, why)
	}
}

// answeredBy tells of the answer. What a reliable response has said is not said
// again (RFC 3261 §13.2.1); a 2xx without a description stands by that of an
// earlier provisional one, which the network may bring a moment later.
func (l *Leg) answeredBy(d *dialog, res *sipmsg.Response) {
	sdp := sdpOf(res)
	switch {
	case d.agreed && d.moved:
		sdp = nil
	case d.agreed, sdp == nil:
		sdp = d.theirs
	}
	if sdp == nil && !d.agreed {
		l.outbound.late = l.after(holdCancel, func() { l.tellAnswered(nil) })
		return
	}
	l.tellAnswered(sdp)
}

func (l *Leg) tellAnswered(sdp []byte) {
	l.outbound.late.Stop()
	l.outbound.late = nil
	if sdp != nil {
		l.dialog.theirs = sdp
	}
	l.tell(Answered{SDP: sdp, Dialog: l.dialog.remoteTag})
	l.reofferNow()
}

// overtaken takes a provisional response that comes after the 2xx.
func (l *Leg) overtaken(res *sipmsg.Response) {
	if l.outbound.late == nil || tagOf(res.To().Params) != l.dialog.remoteTag {
		return
	}
	if sdp := sdpOf(res); sdp != nil {
		l.tellAnswered(sdp)
	}
}
