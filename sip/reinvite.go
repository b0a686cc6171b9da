package sip

import (
	"math/rand/v2"
	"time"

	"b2bua/internal/loop"

	sipmsg "github.com/emiago/sipgo/sip"
)

// offered is an offer of the far end that awaits AcceptOffer or RefuseOffer.
type offered struct {
	id        int
	tx        *serverTx
	dialog    *dialog
	invite    bool // re-INVITE; else UPDATE or PRACK
	late      bool // a re-INVITE without an offer
	refreshes bool // the session, too (RFC 4028)
	theirs    []byte
}

// offer has the owner answer an offer.
func (l *Leg) offer(o *offered) {
	l.offers++
	o.id = l.offers
	l.offered = o
	o.tx.onFinal(func() { l.box.post(func() { l.lapsed(o) }) })
	l.tell(Offered{ID: o.id, SDP: o.theirs, Dialog: o.dialog.remoteTag})
}

// lapsed: the far end has given up waiting for an answer.
func (l *Leg) lapsed(o *offered) {
	if l.offered == o {
		l.offered = nil
		l.offerSettled()
	}
}

// withdrawOffer answers the offer, if there is one, in place of the owner: what
// it was for is over (RFC 3261 §9.2, §15.1.2).
func (l *Leg) withdrawOffer() {
	if o := l.offered; o != nil {
		l.offered = nil
		o.tx.reply(487)
	}
}

func (l *Leg) receiveReinvite(tx *serverTx) {
	switch {
	case l.offered != nil || l.role == uas && l.State() <= StateEarly:
		// RFC 3261 §14.2: the first one is not answered yet.
		tx.reply(500, retryLater())
		return
	case l.State() <= StateEarly, l.reoffer.underway(), l.accepted != nil:
		tx.reply(491)
		return
	}
	sdp, code := description(tx.req)
	if code != 0 {
		tx.reply(code, acceptHeader, encodingHeader)
		return
	}
	_, refusal := l.timed(tx.req)
	if refusal != nil {
		tx.reply(422, *refusal)
		return
	}
	tx.setLeg(l)
	tx.reply(100)
	l.offer(&offered{tx: tx, dialog: l.dialog, invite: true, late: sdp == nil, refreshes: true, theirs: sdp})
}

func (l *Leg) acceptOffer(id int, sdp []byte) {
	o := l.offered
	if o == nil || o.id != id {
		return
	}
	req := o.tx.request()
	if req == nil {
		return // it lapses
	}
	var t terms
	if o.refreshes {
		t, _ = l.timed(req) // an interval that is too brief was refused at once
	}
	l.offered = nil
	d := o.dialog
	d.moved = true
	if req.Method != sipmsg.PRACK { // not one that was refused (RFC 6141 §4)
		l.follow(d, o.tx)
		l.refresh(d, req)
	}
	if o.theirs != nil {
		d.theirs = o.theirs
	}
	if o.invite {
		l.accept(o.tx, sdp, t, &accepted{late: o.late})
		return
	}
	if !o.tx.respond(response{code: 200, contact: d.contact, headers: t.headers(), contentType: sdpType, content: sdp}) {
		return
	}
	d.said = sdp
	if o.refreshes {
		l.keep(t)
	}
	l.offerSettled()
}

// offerSettled goes on with what an offer of the far end has held up.
func (l *Leg) offerSettled() {
	if l.role == uas && l.State() <= StateEarly {
		l.acknowledgedReliably()
		return
	}
	l.reofferNow()
}

func (l *Leg) refuseOffer(id, code int, headers []Header) {
	o := l.offered
	if o == nil || o.id != id {
		return
	}
	if code < 300 || code > 699 {
		code = 488
	}
	l.offered = nil
	o.tx.reply(code, safe(headers, "")...)
	l.offerSettled()
}

// reoffer is an offer of ours. It waits while another one is not settled, and
// after a glare.
type reoffer struct {
	sdp     []byte
	refresh bool // nobody asked for it but the session's timer
	sent    bool
	dialog  *dialog
	tx      *clientTx
	tries   int
	timer   *loop.Timer
}

func (r *reoffer) underway() bool { return r != nil && r.sent }

func (r *reoffer) stop() {
	if r == nil {
		return
	}
	r.timer.Stop()
	if r.tx != nil {
		r.tx.abandon() // the dialog may end without an answer to it
	}
}

// maxGlare is how often a glare is tried again.
const maxGlare = 3

func (l *Leg) reinvite(sdp []byte) {
	if l.is(StateEnded) {
		return
	}
	if l.reoffer.underway() {
		l.waiting = sdp
		return
	}
	l.reoffer.stop()
	l.reoffer = &reoffer{sdp: sdp}
	l.reofferNow()
}

// reofferNow sends what waits, when nothing stands in its way.
func (l *Leg) reofferNow() {
	r := l.reoffer
	if r == nil || r.sent || r.timer != nil {
		return
	}
	d, method := l.openTo()
	if d == nil {
		return
	}
	r.sent = true
	if method == "UPDATE" {
		l.update(d, r)
		return
	}
	l.reask(r, trial{})
}

// reask sends the re-INVITE; each 2xx, repeated ones too, is acknowledged.
func (l *Leg) reask(r *reoffer, t trial) {
	d := l.dialog
	r.dialog = d
	req := d.request("INVITE")
	req.headers = append([]Header{{"Contact", d.contact}, allowHeader, supportedHeader}, l.wishes()...)
	req.contentType, req.content = sdpType, r.sdp
	var ack []byte
	var way flow
	next := d.next
	req.headers = append(req.headers, l.proves(next, "INVITE", req.uri)...)
	r.tx = l.ep.request(next, req, func(res *sipmsg.Response) {
		l.box.post(func() {
			switch {
			case res.StatusCode < 200:
			case ack != nil:
				way.send(ack, nil)
			case res.StatusCode < 300:
				l.refresh(d, res)
				d.note(res)
				ack, way = d.ack(r.tx)
				if l.State() < StateEnded {
					l.timedBy(res)
				}
				l.reoffered(r, sdpOf(res))
			case l.reoffer != r: // the dialog has ended meanwhile
			default:
				if l.challenged(res, next, t) {
					l.reask(r, t)
					return
				}
				if r.tries < maxGlare && l.longer(res) {
					r.tries++
					l.reask(r, trial{})
					return
				}
				l.reofferFailed(r, res.StatusCode, res.Reason)
			}
		})
	}, func(err error) {
		l.box.post(func() {
			code, reason := verdict(err)
			l.reofferFailed(r, code, reason)
		})
	})
}

// reoffered is done with one offer: it has its answer.
func (l *Leg) reoffered(r *reoffer, sdp []byte) {
	if l.reoffer != r {
		return
	}
	d := r.dialog
	d.said, d.moved = r.sdp, true
	if r.refresh {
		l.refreshed(sdp)
	} else {
		if sdp != nil {
			d.theirs = sdp
		}
		l.tell(Reanswered{SDP: sdp})
	}
	l.nextOffer()
}

// nextOffer goes on with the offer that waits.
func (l *Leg) nextOffer() {
	l.reoffer = nil
	if next := l.waiting; next != nil {
		l.waiting = nil
		l.reinvite(next)
	}
}

func (l *Leg) reofferFailed(r *reoffer, code int, reason string) {
	if l.reoffer != r || l.is(StateEnded) {
		return
	}
	early := l.State() <= StateEarly
	switch {
	case !early && r.dialog != l.dialog: // of a phone that has lost the call
		r.sent = false
		l.reofferNow()
		return
	case !early && l.lost(code, reason):
		return
	}
	if code != 491 || r.tries >= maxGlare {
		if r.refresh {
			l.nextOffer()
			l.notRefreshed(code, reason, false)
			return
		}
		l.tell(ReofferRefused{Code: code, Reason: plain(reason)})
		l.nextOffer()
		return
	}
	r.sent = false
	r.tries++
	r.timer = l.after(l.glarePause(), func() {
		r.timer = nil
		l.reofferNow()
	})
}

// glarePause is RFC 3261 §14.1: who made the Call-ID waits longer.
func (l *Leg) glarePause() time.Duration {
	if l.role == uac {
		return 2100*time.Millisecond + time.Duration(rand.IntN(191))*10*time.Millisecond
	}
	return time.Duration(rand.IntN(201)) * 10 * time.Millisecond
}
