package sip

import (
	"strconv"
	"strings"
	"time"

	"b2bua/internal/loop"

	sipmsg "github.com/emiago/sipgo/sip"
)

// referral is a REFER and the subscription that it makes (RFC 3515 §2.4.4).
type referral struct {
	tx     *serverTx // until it is answered
	id     string    // of its events: none for the first REFER of a dialog
	silent bool      // the far end wants no NOTIFY (RFC 4488)
	over   bool      // the far end wants no more of them
	until  time.Time // of the subscription
	code   int       // told last
	reason string
	timer  *loop.Timer
}

// referralFor is how long a REFER is reported on: longer than anybody rings.
const referralFor = 5 * time.Minute

func (l *Leg) receiveRefer(tx *serverTx) {
	to, code := referTo(tx.req)
	switch {
	case !l.is(StateConfirmed) && !l.is(StateAnswered):
		tx.reply(403) // nobody has been reached who could be transferred
		return
	case code != 0:
		tx.reply(code)
		return
	case l.referral != nil:
		tx.reply(491) // one thing after the other: its outcome decides who is still there
		return
	}
	to.Ours = to.Host == "" || l.ep.ours(to.Host) ||
		l.role == uas && strings.EqualFold(to.Host, tx.req.From().Address.Host) // the domain its account has here
	r := &referral{tx: tx}
	if l.referred {
		r.id = strconv.FormatUint(uint64(tx.req.CSeq().SeqNo), 10)
	}
	if v, ok := value(tx.req, "refer-sub"); ok {
		v, _, _ = strings.Cut(v, ";")
		r.silent = strings.EqualFold(strings.TrimSpace(v), "false")
	}
	l.referral, l.referred = r, true
	tx.onFinal(func() { l.box.post(func() { l.referralLapsed(r) }) })
	v, _ := value(tx.req, "referred-by")
	by, _ := readNameAddr(v)
	l.tell(Referred{To: to, By: plain(by.uri)})
}

func (l *Leg) acceptRefer() {
	r := l.referral
	if r == nil || r.tx == nil {
		return
	}
	tx := r.tx
	r.tx = nil
	res := response{code: 202, contact: l.dialog.contact, headers: []Header{allowHeader}}
	if r.silent {
		res.code, res.headers = 200, []Header{{"Refer-Sub", "false"}}
	}
	if !tx.respond(res) {
		l.referral = nil
		return
	}
	r.until = time.Now().Add(referralFor)
	r.timer = l.after(referralFor, func() { l.referralOver(r, "timeout") })
	l.notifyRefer(100, "")
}

// referralLapsed: the far end has given up waiting for an answer.
func (l *Leg) referralLapsed(r *referral) {
	if l.referral == r && r.tx != nil {
		l.referral = nil
	}
}

func (l *Leg) refuseRefer(code int) {
	r := l.referral
	if r == nil || r.tx == nil {
		return
	}
	if code < 300 || code > 699 {
		code = 603
	}
	l.referral = nil
	r.tx.reply(code)
}

// notifyRefer sends a NOTIFY with the status as a message/sipfrag (RFC 3420).
func (l *Leg) notifyRefer(code int, reason string) {
	r := l.referral
	if r == nil || r.tx != nil || code < 100 || code > 699 {
		return
	}
	if code == r.code && code < 200 {
		return // nothing new
	}
	r.code, r.reason = code, reason
	if code >= 200 {
		l.referralOver(r, "noresource")
		return
	}
	left := max(1, int(time.Until(r.until)/time.Second))
	l.sendReferral(r, "active;expires="+strconv.Itoa(left))
}

// referralOver sends the last NOTIFY, which tells what is known.
func (l *Leg) referralOver(r *referral, why string) {
	if l.referral != r {
		return
	}
	r.timer.Stop()
	l.referral = nil
	l.sendReferral(r, "terminated;reason="+why)
}

// referralLeft is done when the leg ends: a REFER nobody has answered is answered
// (RFC 3261 §15.1.2), one under way goes on unless it was us who hung up.
func (l *Leg) referralLeft() {
	r := l.referral
	switch {
	case r == nil:
	case r.tx != nil:
		r.tx.reply(487)
		l.referral = nil
	case r.over || r.silent:
		r.timer.Stop()
		l.referral = nil
	}
}

func (l *Leg) sendReferral(r *referral, state string) {
	if r.silent || r.over {
		return
	}
	event := "refer"
	if r.id != "" {
		event += ";id=" + r.id
	}
	reason := plain(r.reason)
	if reason == "" {
		reason = reasonOf(r.code)
	}
	fragment := "SIP/2.0 " + strconv.Itoa(r.code) + " " + reason + "\r\n"
	l.transact("NOTIFY", func(req *request) {
		req.headers = []Header{{"Contact", l.dialog.contact}, {"Event", event}, {"Subscription-State", state}, allowHeader}
		req.contentType, req.content = "message/sipfrag;version=2.0", []byte(fragment)
	}, func(res *sipmsg.Response) {
		// The subscription ends, the call does not (RFC 5057 §5.1).
		r.over = r.over || res.StatusCode >= 300
	}, func(error) { r.over = true })
}

// receiveSubscribe is a SUBSCRIBE within a call: only the one that a REFER has
// made may be renewed or ended (RFC 3515 §2.4.4).
func (l *Leg) receiveSubscribe(tx *serverTx) {
	pkg, id := eventOf(tx.req)
	r := l.referral
	switch {
	case pkg != "refer":
		tx.reply(489, eventsHeader)
		return
	case r == nil || r.tx != nil || r.silent || id != "" && id != r.id:
		tx.reply(481)
		return
	}
	wish := time.Hour
	if v, ok := value(tx.req, "expires"); ok {
		wish = expiry(v)
	}
	left := min(wish, max(time.Second, time.Until(r.until))).Round(time.Second)
	tx.respond(response{code: 200, contact: l.dialog.contact,
		headers: []Header{{"Expires", strconv.Itoa(int(left / time.Second))}}})
	if wish == 0 {
		l.sendReferral(r, "terminated;reason=timeout")
		r.over = true
		return
	}
	r.timer.Stop()
	r.until = time.Now().Add(left)
	r.timer = l.after(left, func() { l.referralOver(r, "timeout") })
	l.sendReferral(r, "active;expires="+strconv.Itoa(int(left/time.Second)))
}
