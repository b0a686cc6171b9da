package sip

// The verbs of a leg. Each says in its own file what it does in which state.

// Ring sends 180 Ringing.
func (l *Leg) Ring() { l.verb(func() { l.progress(180, nil) }) }

// Progress sends a provisional response of 101 to 199, with early media when sdp
// is not nil.
func (l *Leg) Progress(code int, sdp []byte) { l.verb(func() { l.progress(code, sdp) }) }

// Answer sends 200 OK to the INVITE. sdp is the answer to the Invitation's
// offer, or an offer when it had none; the answer then comes with Confirmed.
func (l *Leg) Answer(sdp []byte) { l.verb(func() { l.answer(sdp) }) }

// Reject sends a final response of 300 to 699 to the INVITE. Nothing more is
// told about the leg.
func (l *Leg) Reject(code int, reason string, headers ...Header) {
	l.leave(func() { l.reject(code, reason, headers) })
}

// Hangup ends the leg by what its state demands: CANCEL or, should an answer
// cross it, BYE on a dialled leg; 480 on one that we have not answered; BYE
// otherwise. Nothing more is told about the leg.
func (l *Leg) Hangup(r Reason) { l.leave(func() { l.hangup(r) }) }

// AcceptOffer answers the Offered of that ID; nothing happens when the far end
// has taken it back meanwhile. When it had no SDP, sdp is an offer and Reanswered
// brings the answer.
func (l *Leg) AcceptOffer(id int, sdp []byte) { l.verb(func() { l.acceptOffer(id, sdp) }) }

// RefuseOffer refuses the Offered of that ID with a final response, usually 488 and a Warning:
// the session goes on as it was.
func (l *Leg) RefuseOffer(id, code int, headers ...Header) {
	l.verb(func() { l.refuseOffer(id, code, headers) })
}

// Reinvite sends an offer in a re-INVITE, when other offers are done with.
// Reanswered or ReofferRefused tells the outcome; a newer Reinvite takes the
// place of one that has not been sent yet.
func (l *Leg) Reinvite(offer []byte) { l.verb(func() { l.reinvite(offer) }) }

// Info sends an INFO request (RFC 6086) within the dialog.
func (l *Leg) Info(contentType string, body []byte) {
	l.verb(func() { l.info(contentType, body) })
}

// AcceptRefer answers Referred with 202, and tells the far end 100 Trying.
func (l *Leg) AcceptRefer() { l.verb(l.acceptRefer) }

// RefuseRefer answers Referred with a final response.
func (l *Leg) RefuseRefer(code int) { l.verb(func() { l.refuseRefer(code) }) }

// NotifyRefer tells the far end how far its REFER has come, by the status that
// the one referred to answered with. 200 and above is the last word. The far end
// may have hung up meanwhile: it is told nevertheless (RFC 5057 §3.1), as long as
// our own Hangup has not ended the leg.
func (l *Leg) NotifyRefer(code int, reason string) {
	l.verb(func() { l.notifyRefer(code, reason) })
}
