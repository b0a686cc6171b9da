package sip

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"b2bua/internal/loop"

	sipmsg "github.com/emiago/sipgo/sip"
)

// reliable are the provisional responses of ours that the far end acknowledges
// by PRACK (RFC 3262 §3).
type reliable struct {
	offered  bool // it can do that
	demanded bool // it insists on it
	seq      uint32
	late     bool // the INVITE had no offer: ours goes with the first of them
	rseq     uint32
	unacked  *unacked
	queue    []provisional // one at a time
	told     bool          // a description went with one of them
	agreed   bool          // and its PRACK came: the offer has its answer
	leaving  *loop.Timer   // runs while an ended leg waits for its last PRACK
	holding  bool          // the 2xx waits for that
	held     []byte        // with this description
}

type provisional struct {
	code int
	sdp  []byte
}

// unacked is the one whose PRACK is awaited.
type unacked struct {
	provisional
	rseq     uint32
	data     []byte
	interval time.Duration
	passed   time.Duration
	timer    *loop.Timer
}

func (r *reliable) stop() {
	if r.unacked != nil {
		r.unacked.timer.Stop()
	}
	r.queue = nil
}

// outstanding reports whether an ended leg is to stay known, because the PRACK of
// a provisional response may still come (RFC 3262 §3).
func (r *reliable) outstanding(l *Leg) bool {
	if r.unacked != nil && r.leaving == nil {
		r.leaving = l.after(lifetime, func() {
			r.unacked = nil
			l.forget()
		})
	}
	return r.unacked != nil
}

// prackLate takes the PRACK of a leg that has ended: nobody waits for it but who
// sends it.
func (l *Leg) prackLate(tx *serverTx) {
	r := &l.reliable
	if r.unacked == nil || !acknowledges(tx.req, r.unacked.rseq, r.seq) {
		tx.reply(481)
		return
	}
	r.unacked = nil
	r.leaving.Stop()
	tx.reply(200)
	l.forget()
}

// expects notes what an INVITE says about provisional responses.
func (r *reliable) expects(req *sipmsg.Request, sdp []byte) {
	r.offered = can(req, "100rel")
	r.demanded = lists(req, "require", "100rel")
	r.seq = req.CSeq().SeqNo
	r.late = sdp == nil
}

// describes gives what of a description goes into a provisional response, and
// whether that goes reliably; ok is false when there can be none as yet.
func (r *reliable) describes(sdp []byte) (said []byte, reliably, ok bool) {
	switch {
	case r.told:
		sdp = nil // once is enough, and more is ignored (RFC 3261 §13.2.1)
	case r.late && !r.demanded:
		sdp = nil // our offer can wait for the 2xx
	case r.late && sdp == nil:
		return nil, true, false // RFC 3262 §5: the first of them has the offer
	}
	return sdp, r.demanded || r.offered && sdp != nil, true
}

// sendReliably sends a provisional response as soon as the one before it is
// acknowledged.
func (l *Leg) sendReliably(p provisional) {
	r := &l.reliable
	r.told = r.told || p.sdp != nil
	if r.unacked != nil {
		if len(r.queue) < maxForks {
			r.queue = append(r.queue, p)
		}
		return
	}
	if r.rseq == 0 {
		r.rseq = rand.Uint32N(1<<31-1) + 1
	} else {
		r.rseq++
	}
	headers := append([]Header{{"Require", "100rel"}, {"RSeq", strconv.FormatUint(uint64(r.rseq), 10)}}, sessionHeaders...)
	if !l.inbound.respond(response{code: p.code, contact: l.dialog.contact, headers: headers, contentType: sdpType, content: p.sdp}) {
		return
	}
	if p.sdp != nil {
		l.dialog.said = p.sdp
	}
	u := &unacked{provisional: p, rseq: r.rseq, data: l.inbound.sent(), interval: t1}
	r.unacked = u
	u.timer = l.after(t1, l.repeatReliably)
}

// repeatReliably repeats it, slower and slower, over any transport; for ever
// unacknowledged it fails the call.
func (l *Leg) repeatReliably() {
	u := l.reliable.unacked
	if u == nil || l.State() > StateEarly {
		return
	}
	u.passed += u.interval
	if u.passed >= lifetime {
		l.log.Info("no PRACK came", "dialog", l.dialog.callID)
		l.reliable.unacked = nil // it has had its time
		l.inbound.reply(504)
		l.end(Ended{By: ByAckTimeout, Code: 504, Reason: "No PRACK"})
		l.forget()
		return
	}
	l.inbound.flow.send(u.data, nil)
	u.interval = min(2*u.interval, lifetime-u.passed)
	u.timer = l.after(u.interval, l.repeatReliably)
}

// receivePrack takes the acknowledgement of a provisional response.
func (l *Leg) receivePrack(tx *serverTx) {
	r := &l.reliable
	u := r.unacked
	if u == nil || !acknowledges(tx.req, u.rseq, r.seq) {
		tx.reply(481)
		return
	}
	sdp, code := description(tx.req)
	switch {
	case code != 0:
		tx.reply(code, acceptHeader, encodingHeader)
		return
	case u.sdp != nil && r.late && sdp == nil:
		tx.reply(400) // RFC 3262 §5: our offer is answered here
		return
	case sdp != nil && l.offered != nil:
		tx.reply(500, retryLater())
		return
	}
	r.unacked.timer.Stop()
	r.unacked = nil
	r.agreed = r.agreed || u.sdp != nil
	switch {
	case sdp == nil:
		tx.reply(200)
	case u.sdp != nil && r.late:
		l.dialog.theirs = sdp
		tx.reply(200)
		l.tell(Reanswered{SDP: sdp})
	case !r.agreed:
		tx.reply(488) // an offer while the first one has no answer
	default:
		l.offer(&offered{tx: tx, dialog: l.dialog, theirs: sdp})
	}
	l.acknowledgedReliably()
}

// acknowledgedReliably goes on with what had to wait.
func (l *Leg) acknowledgedReliably() {
	r := &l.reliable
	switch {
	case l.State() > StateEarly || r.unacked != nil:
	case r.holding && l.offered == nil:
		r.holding = false
		l.answer(r.held)
	case len(r.queue) > 0:
		next := r.queue[0]
		r.queue = r.queue[1:]
		l.sendReliably(next)
	default:
		l.reofferNow()
	}
}

// acknowledges reports whether a PRACK is for that response (RFC 3262 §7.2).
func acknowledges(req *sipmsg.Request, rseq, seq uint32) bool {
	v, _ := value(req, "rack")
	f := strings.Fields(v)
	return len(f) == 3 && uint32Of(f[0]) == uint64(rseq) && uint32Of(f[1]) == uint64(seq) && f[2] == "INVITE"
}

// uint32Of is a number of 32 bits, or one that is none.
func uint32Of(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 1 << 32
	}
	return n
}
