package sip

import (
	"math/rand/v2"
	"strconv"
	"time"

	"b2bua/internal/loop"

	sipmsg "github.com/emiago/sipgo/sip"
)

// offered is an offer of the far end that awaits AcceptOffer or RefuseOffer.
type offered struct {
	tx     *serverTx
	invite bool // re-INVITE; else UPDATE
	late   bool // a re-INVITE without an offer
}

func (l *Leg) receiveReinvite(tx *serverTx) {
	switch {
	case l.offered != nil || !l.is(StateConfirmed) && !l.is(StateAnswered):
		// RFC 3261 §14.2: the first one is not answered yet.
		tx.reply(500, Header{"Retry-After", strconv.Itoa(rand.IntN(10))})
		return
	case l.reoffer.underway() || l.accepted != nil:
		tx.reply(491)
		return
	}
	sdp, code := description(tx.req)
	if code != 0 {
		tx.reply(code, acceptHeader, encodingHeader)
		return
	}
	l.refresh(tx.req)
	tx.setLeg(l)
	l.offered = &offered{tx: tx, invite: true, late: sdp == nil}
	tx.reply(100)
	l.tell(Offered{SDP: sdp})
}

// receiveUpdate is RFC 3311; without an offer it only refreshes the target.
func (l *Leg) receiveUpdate(tx *serverTx) {
	sdp, code := description(tx.req)
	switch {
	case code != 0:
		tx.reply(code, acceptHeader, encodingHeader)
	case sdp == nil:
		l.refresh(tx.req)
		tx.respond(response{code: 200, contact: l.dialog.contact, headers: sessionHeaders})
	case l.offered != nil || !l.is(StateConfirmed) && !l.is(StateAnswered):
		tx.reply(500, Header{"Retry-After", strconv.Itoa(rand.IntN(10))})
	case l.reoffer.underway() || l.accepted != nil && l.accepted.late:
		tx.reply(491)
	default:
		l.refresh(tx.req)
		l.offered = &offered{tx: tx}
		l.tell(Offered{SDP: sdp})
	}
}

func (l *Leg) acceptOffer(sdp []byte) {
	o := l.offered
	if o == nil || l.is(StateEnded) {
		return
	}
	l.offered = nil
	if o.invite {
		l.accept(o.tx, sdp, &accepted{late: o.late})
		return
	}
	o.tx.respond(response{code: 200, contact: l.dialog.contact, headers: sessionHeaders,
		contentType: sdpType, content: sdp})
	l.reofferNow()
}

func (l *Leg) refuseOffer(code int, headers []Header) {
	o := l.offered
	if o == nil {
		return
	}
	if code < 300 || code > 699 {
		code = 488
	}
	l.offered = nil
	o.tx.reply(code, safe(headers, "")...)
	l.reofferNow()
}

// reoffer is an offer of ours. It waits while another one is not settled, and
// after a glare.
type reoffer struct {
	sdp   []byte
	sent  bool
	tx    *clientTx
	tries int
	timer *loop.Timer
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
	if l.role == uac && l.State() < StateConfirmed || l.is(StateEnded) {
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
	if r == nil || r.sent || r.timer != nil || l.offered != nil || l.accepted != nil || !l.is(StateConfirmed) {
		return
	}
	r.sent = true
	l.reask(r, true, nil)
}

// reask sends the re-INVITE; each 2xx, repeated ones too, is acknowledged.
func (l *Leg) reask(r *reoffer, mayAuthorize bool, extra []Header) {
	req := l.dialog.request("INVITE")
	req.headers = append([]Header{{"Contact", l.dialog.contact}, allowHeader, supportedHeader}, extra...)
	req.contentType, req.content = sdpType, r.sdp
	seq := req.cseq
	var ack []byte
	var way flow
	next := l.dialog.next
	r.tx = l.ep.request(next, req, func(res *sipmsg.Response) {
		l.box.post(func() {
			switch {
			case res.StatusCode < 200:
			case ack != nil:
				way.send(ack, nil)
			case res.StatusCode < 300:
				l.refresh(res)
				ack, way = l.dialog.ack(seq)
				l.reoffered(r, Reanswered{SDP: sdpOf(res)})
			default:
				if mayAuthorize {
					if h, ok := l.authorize(res, "INVITE", req.uri, next); ok {
						l.reask(r, false, []Header{h})
						return
					}
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

// reoffered is done with one offer and goes on with the next.
func (l *Leg) reoffered(r *reoffer, ev Event) {
	if l.reoffer != r {
		return
	}
	l.reoffer = nil
	l.tell(ev)
	if l.waiting != nil {
		next := l.waiting
		l.waiting = nil
		l.reinvite(next)
	}
}

func (l *Leg) reofferFailed(r *reoffer, code int, reason string) {
	if l.reoffer != r || l.is(StateEnded) {
		return
	}
	if l.lost(code, reason) {
		return
	}
	if code != 491 || r.tries >= maxGlare {
		l.reoffered(r, ReofferRefused{Code: code, Reason: plain(reason)})
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
