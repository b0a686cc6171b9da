package sip

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// What a subscription may ask for (RFC 6665 §4.2.1).
const (
	minSubscription = time.Minute
	maxSubscription = time.Hour
)

// subscription is a device's wish to be told of its messages: a dialog of its own
// (RFC 6665 §4.4.1).
type subscription struct {
	ep     *Endpoint
	user   string
	id     string         // of the event, echoed
	source netip.AddrPort // where the last SUBSCRIBE came from; guarded by subscriptions
	timer  *time.Timer

	box mailbox // guards what follows
	dialog
	until time.Time
	told  *Summary
	busy  bool // a NOTIFY is under way
	again bool // and another one is wanted
	over  bool
}

func (s *subscription) key() string { return dialogKey(s.callID, s.localTag) }

// receiveSubscribe is a SUBSCRIBE outside of any dialog, of somebody who may call.
func (e *Endpoint) receiveSubscribe(a arrival, who caller) {
	pkg, id := eventOf(a.req)
	user := userOf(a.req.To().Address)
	d := who.device
	switch {
	case pkg != packageSummary || d == nil || e.cfg.Summary == nil:
		e.refuse(a, 489, eventsHeader)
		return
	case user != "" && !strings.EqualFold(user, d.Username) && user != d.Number:
		e.refuse(a, 403)
		return
	case !accepts(a.req, summaryType):
		e.refuse(a, 406, Header{"Accept", summaryType})
		return
	}
	expires, code := subscribeExpiry(a.req)
	if code != 0 {
		e.refuse(a, code, minExpires)
		return
	}
	tx := e.serve(a, newToken())
	if tx == nil {
		return
	}
	s, ok := e.openSubscription(tx, d.Username, id)
	if !ok {
		tx.reply(400)
		return
	}
	e.background(func() {
		if _, ok := e.cfg.Summary(s.user); !ok {
			s.timer.Stop()
			tx.reply(404) // there is no box
			return
		}
		s.box.post(func() { s.renew(tx, expires) })
	})
}

// openSubscription makes the dialog of a SUBSCRIBE.
func (e *Endpoint) openSubscription(tx *serverTx, user, id string) (*subscription, bool) {
	req := tx.req
	c, ok := first(req.GetHeaders("contact")).(*sipmsg.ContactHeader)
	if !ok || c.Address.Wildcard || c.Address.Host == "" {
		return nil, false
	}
	s := &subscription{ep: e, user: user, id: id, source: tx.source}
	s.box.onPanic = func(v any, stack []byte) {
		e.panics.Add(1)
		e.log.Error("subscription panicked", "err", v, "stack", string(stack))
		e.subscriptions.remove(s)
	}
	peer := tx.peer()
	s.dialog = dialog{
		callID: req.CallID().Value(), localTag: tx.tag, remoteTag: tagOf(req.From().Params),
		local: plain(req.To().Value()) + ";tag=" + tx.tag, remote: plain(req.From().Value()),
		remoteSeq: req.CSeq().SeqNo, heard: true, routes: routeSet(req, false), target: *c.Address.Clone(),
		contact: tx.flow.contact(user), peer: peer, kept: true, next: peer,
	}
	s.timer = time.AfterFunc(maxSubscription+minSubscription, func() { s.box.post(s.expired) })
	return s, true
}

var minExpires = Header{"Min-Expires", strconv.Itoa(int(minSubscription / time.Second))}

// subscribeExpiry is how long a subscription is wanted; code refuses what is
// too short (RFC 6665 §4.2.1.1).
func subscribeExpiry(req *sipmsg.Request) (d time.Duration, code int) {
	d = maxSubscription
	if v, ok := value(req, "expires"); ok {
		d = min(expiry(v), maxSubscription)
	}
	if d > 0 && d < minSubscription {
		return 0, 423
	}
	return d, 0
}

// accepts reports whether a body of this type may be sent to whoever made req.
func accepts(req *sipmsg.Request, kind string) bool {
	any := true
	for _, h := range req.GetHeaders("accept") {
		any = false
		for v := range strings.SplitSeq(h.Value(), ",") {
			v, _, _ = strings.Cut(v, ";")
			switch v = strings.ToLower(strings.TrimSpace(v)); v {
			case kind, "*/*", "application/*":
				return true
			}
		}
	}
	return any
}

// receiveRenewal is a request within a dialog that is no call's: one made by
// SUBSCRIBE, or none. Who renews proves anew who it is.
func (e *Endpoint) receiveRenewal(a arrival) {
	s, ok := e.subscriptions.get(dialogKey(a.req.CallID().Value(), tagOf(a.req.To().Params)))
	if !ok || a.req.Method != sipmsg.SUBSCRIBE {
		e.dismiss(a, 481)
		return
	}
	if e.shunned(a) {
		return
	}
	who, ok := e.authenticate(a, false)
	if !ok {
		return
	}
	if who.device == nil || who.device.Username != s.user {
		e.refuse(a, 403)
		return
	}
	if tx := e.serve(a, ""); tx != nil {
		s.box.post(func() { s.receive(tx) })
	}
}

// receive is a SUBSCRIBE within the subscription's dialog, from the device that
// made it.
func (s *subscription) receive(tx *serverTx) {
	seq := tx.req.CSeq().SeqNo
	switch {
	case tagOf(tx.req.From().Params) != s.remoteTag || s.over:
		tx.reply(481)
		return
	case seq <= s.remoteSeq:
		tx.reply(500)
		return
	}
	s.remoteSeq = seq
	expires, code := subscribeExpiry(tx.req)
	if code != 0 {
		tx.reply(code, minExpires)
		return
	}
	s.peer = tx.peer()
	s.next, s.contact = s.peer, tx.flow.contact(s.user)
	s.ep.subscriptions.moved(s, tx.source)
	if c, ok := first(tx.req.GetHeaders("contact")).(*sipmsg.ContactHeader); ok && !c.Address.Wildcard && c.Address.Host != "" {
		s.target = *c.Address.Clone()
	}
	s.renew(tx, expires)
}

// renew grants a subscription and tells how things are (RFC 6665 §4.2.1.2). 0
// ends it, or never lets it begin.
func (s *subscription) renew(tx *serverTx, expires time.Duration) {
	if !tx.respond(response{code: 200, contact: s.contact,
		headers: []Header{{"Expires", strconv.Itoa(int(expires / time.Second))}, eventsHeader}}) {
		return
	}
	if expires == 0 {
		s.expired()
		return
	}
	if s.until.IsZero() {
		s.ep.subscriptions.add(s)
	}
	s.until = time.Now().Add(expires)
	s.timer.Reset(expires)
	s.notify()
}

// expired ends the subscription with a last word.
func (s *subscription) expired() {
	if s.over {
		return
	}
	s.over = true
	s.timer.Stop()
	s.ep.subscriptions.remove(s)
	s.notify()
}

// notify tells how things are, once a NOTIFY under way is answered.
func (s *subscription) notify() {
	if s.busy {
		s.again = true
		return
	}
	s.busy = true
	s.ep.background(func() {
		sum, ok := s.ep.cfg.Summary(s.user)
		s.box.post(func() { s.send(sum, ok) })
	})
}

func (s *subscription) send(sum Summary, ok bool) {
	state := "active;expires=" + strconv.Itoa(max(0, int(time.Until(s.until).Round(time.Second)/time.Second)))
	switch {
	case !ok: // the box is gone
		s.over = true
		s.ep.subscriptions.remove(s)
		state = "terminated;reason=noresource"
	case s.over:
		state = "terminated;reason=timeout"
	}
	s.told = &sum
	event := packageSummary
	if s.id != "" {
		event += ";id=" + s.id
	}
	r := s.request("NOTIFY")
	r.headers = []Header{{"Contact", s.contact}, {"Event", event}, {"Subscription-State", state}, allowHeader}
	r.contentType, r.content = summaryType, sum.body(s.user, s.peer.hostport())
	s.ep.request(s.peer, r, func(res *sipmsg.Response) {
		if res.StatusCode >= 200 {
			s.box.post(func() { s.notified(res.StatusCode < 300) })
		}
	}, func(error) { s.box.post(func() { s.notified(false) }) })
}

// notified: a NOTIFY has been answered. A device that does not know of it, or
// does not answer, has no subscription any more (RFC 6665 §4.2.2).
func (s *subscription) notified(ok bool) {
	s.busy = false
	if !ok {
		s.over = true
		s.ep.subscriptions.remove(s)
		return
	}
	if s.again {
		s.again = false
		s.notify()
	}
}
