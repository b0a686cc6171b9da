package sip

import (
	"math/rand/v2"
	"strconv"

	sipmsg "github.com/emiago/sipgo/sip"
)

// retryLater is the pause that RFC 3261 §14.2 and RFC 3311 §5.2 ask for.
func retryLater() Header { return Header{"Retry-After", strconv.Itoa(rand.IntN(11))} }

// receiveUpdate is RFC 3311; without an offer it only refreshes the target and
// the session.
func (l *Leg) receiveUpdate(d *dialog, tx *serverTx) {
	sdp, code := description(tx.req)
	switch {
	case code != 0:
		tx.reply(code, acceptHeader, encodingHeader)
		return
	case l.offered != nil && !l.offered.invite:
		tx.reply(500, retryLater()) // RFC 3311 §5.2: one after the other
		return
	case sdp != nil:
		code = l.disturbs(d)
	}
	switch code {
	case 0:
	case 500:
		tx.reply(500, retryLater())
		return
	default:
		tx.reply(code)
		return
	}
	session := l.State() > StateEarly // there is none to refresh before the answer
	terms, refusal := l.timed(tx.req)
	if refusal != nil {
		tx.reply(422, *refusal)
		return
	}
	if sdp == nil {
		l.follow(d, tx)
		l.refresh(d, tx.req)
		tx.respond(response{code: 200, contact: d.contact, headers: terms.headers()})
		if session {
			l.keep(terms)
		}
		return
	}
	l.offer(&offered{tx: tx, dialog: d, refreshes: session, theirs: sdp})
}

// disturbs gives the status that refuses an offer while another one is not
// settled (RFC 3311 §5.2): 500 while theirs has no answer, 491 while ours has
// none.
func (l *Leg) disturbs(d *dialog) int {
	r := &l.reliable
	early := l.State() <= StateEarly
	switch {
	case l.offered != nil:
		return 500
	case early && l.role == uac && !d.agreed:
		return 491
	case early && l.role == uas && r.late && r.told && !r.agreed:
		return 491
	case early && l.role == uas && !r.told:
		return 500
	case l.reoffer.underway(), l.accepted != nil && l.accepted.late:
		return 491
	}
	return 0
}

// openTo gives the dialog in which we may make an offer now, if there is one:
// before the answer only by UPDATE, and only when the first offer is settled.
func (l *Leg) openTo() (d *dialog, method string) {
	switch {
	case l.offered != nil || l.accepted != nil:
	case l.is(StateConfirmed):
		return l.dialog, "INVITE"
	case !l.is(StateEarly):
	case l.role == uas:
		if r := &l.reliable; r.agreed && r.unacked == nil && !r.holding && l.dialog.updates {
			return l.dialog, "UPDATE"
		}
	default:
		for _, d := range l.outbound.early {
			if d.agreed && d.updates && !d.over && l.outbound.alone(d) && !l.outbound.cancelling {
				return d, "UPDATE"
			}
		}
	}
	return nil, ""
}

// update sends an offer in an UPDATE.
func (l *Leg) update(d *dialog, r *reoffer) {
	r.dialog = d
	l.within(d, "UPDATE", func(req *request) {
		req.headers = append(req.headers, Header{"Contact", d.contact}, allowHeader, supportedHeader)
		req.contentType, req.content = sdpType, r.sdp
	}, func(res *sipmsg.Response) {
		if res.StatusCode >= 300 {
			l.reofferFailed(r, res.StatusCode, res.Reason)
			return
		}
		l.refresh(d, res)
		l.reoffered(r, sdpOf(res))
	}, func(err error) {
		code, reason := verdict(err)
		l.reofferFailed(r, code, reason)
	})
}
