package sip

import (
	sipmsg "github.com/emiago/sipgo/sip"
)

// An ACK is one of two things: for a failure it belongs to the INVITE's
// transaction, for a 2xx to the dialog (RFC 3261 §13.3.1.4, §17.2.1).

func (e *Endpoint) receiveAck(a arrival) {
	if tx, ok := e.servers.get(serverKey(a.req, sipmsg.INVITE)); ok && tx.acknowledged() {
		return
	}
	leg, ok := e.dialogs.get(dialogKey(a.req.CallID().Value(), tagOf(a.req.To().Params)))
	if !ok {
		return
	}
	seq, body := a.req.CSeq().SeqNo, sdpOf(a.req)
	tag := tagOf(a.req.From().Params)
	leg.box.post(func() {
		if tag == leg.dialog.remoteTag {
			leg.acknowledged(seq, body)
		}
	})
}

// acknowledged is the ACK for our 2xx.
func (l *Leg) acknowledged(seq uint32, sdp []byte) {
	a := l.accepted
	if a == nil || a.seq != seq {
		return // repeated, or for something else
	}
	l.settle(sdp)
}

// settle is done when the far end is known to have our 2xx.
func (l *Leg) settle(sdp []byte) {
	a := l.accepted
	a.stop()
	l.accepted = nil
	switch {
	case a.first:
		l.become(StateConfirmed)
		l.tell(Confirmed{SDP: sdp})
	case a.late:
		l.tell(Reanswered{SDP: sdp})
	}
	if l.goodbye != nil {
		l.bye(*l.goodbye)
		return
	}
	l.reofferNow()
}

// ack acknowledges a 2xx to an INVITE of ours: a request of its own, with its
// own branch and no transaction (RFC 3261 §13.2.2.4). It returns the message,
// which answers every repetition of the 2xx. An ACK cannot be challenged, so it
// shows what the INVITE has proved, to the host that has seen it (§22.1), and
// never in the clear what was proved over TLS.
func (d *dialog) ack(invite *clientTx) (data []byte, way flow) {
	way = d.next
	r := d.request("ACK")
	r.cseq = invite.req.cseq
	if way.keepsProofsOf(invite.way()) {
		r.headers = invite.proofs()
	}
	branch := branchCookie + newToken()
	r.via = way.via(branch)
	data = r.bytes()
	if wide, ok := way.sock.ep.large(way, len(data)); ok && wide.there() {
		// Nobody would tell that a connection cannot be made: it is the one that the
		// INVITE went by, which was no smaller.
		way = wide
		r.via = way.via(branch)
		data = r.bytes()
	}
	way.send(data, nil)
	return data, way
}

// keepsProofsOf reports whether what was shown one way may be shown this way.
func (f flow) keepsProofsOf(shown flow) bool {
	return f.remote.Addr() == shown.remote.Addr() && (f.sock.secure() || !shown.sock.secure())
}

// proofs are the credentials that a request has.
func (tx *clientTx) proofs() (list []Header) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	for _, h := range tx.req.headers {
		if h.Name == "Authorization" || h.Name == "Proxy-Authorization" {
			list = append(list, h)
		}
	}
	return list
}
