package sip

import (
	"errors"
	"fmt"
	"strings"

	"b2bua/internal/loop"

	sipmsg "github.com/emiago/sipgo/sip"
)

// outgoing is the INVITE of a dialled leg.
type outgoing struct {
	dial       Dial
	uri        string // Request-URI
	routes     []string
	ways       []flow    // to be tried when this one fails
	flows      []Binding // of the same phone, likewise
	tx         *clientTx
	heard      bool // a provisional response: it may be cancelled
	cancelling bool
	why        Reason // of the cancellation
	trial      trial
	identity   []Header
	patience   *loop.Timer
	silence    *loop.Timer        // runs while there is no sign of life
	early      map[string]*dialog // by To tag: early dialogs, and those of a 2xx
	root       *dialog            // what the INVITE began: its responses make dialogs of it
	forks      map[string]acked   // by To tag
	longer     int                // times that a longer session was asked for
	late       *loop.Timer        // runs while the answer waits for its description
}

// maxLonger is how often a 422 is given in to.
const maxLonger = 2

// acked is the ACK that answers every repetition of one 2xx.
type acked struct {
	data []byte
	way  flow
}

// invite begins a dialled leg.
func (l *Leg) invite(d Dial) {
	l.outbound = &outgoing{dial: d, trial: trial{}, early: map[string]*dialog{}, forks: map[string]acked{}}
	l.account = account{username: d.Target.Username, password: d.Target.Password}
	uri, err := d.uri()
	if err != nil {
		l.undialled(err)
		return
	}
	l.outbound.uri = uriText(uri)
	if b := d.Target.Binding; b != nil {
		l.outbound.flows = l.ep.otherFlows(b)
		l.inviteBy(l.ep.flowOf(b), uri)
		return
	}
	hop, preloaded := d.preloaded()
	switch {
	case preloaded:
		l.outbound.routes = d.Routes
	case len(d.Routes) > 0:
		l.log.Warn("routes of the registrar not used", "routes", d.Routes)
		hop = uri
	default:
		hop = uri
	}
	l.ep.waysTo(hop, func(ways []flow, err error) {
		l.box.post(func() {
			switch {
			case l.is(StateEnded): // hung up meanwhile
			case err != nil:
				l.undialled(err)
			default:
				l.inviteAny(ways, uri)
			}
		})
	})
}

// undialled ends a leg whose INVITE could not be sent.
func (l *Leg) undialled(err error) {
	l.log.Info("dial failed", "err", err)
	l.end(Rejected{Code: 503, Reason: "Service Unavailable"})
	l.forget()
}

var errTarget = errors.New("not a SIP URI")

// uri is the Request-URI: a device's contact as it registered it, else the
// trunk's URI with the number in it.
func (d Dial) uri() (sipmsg.Uri, error) {
	text := d.Target.URI
	if d.Target.Binding != nil {
		text = d.Target.Binding.Contact
	}
	var u sipmsg.Uri
	if strings.ContainsFunc(text, func(r rune) bool { return isControl(r) || r == ' ' || r == '<' || r == '>' || r == '"' }) {
		return u, fmt.Errorf("dial %q: %w", text, errTarget)
	}
	if err := sipmsg.ParseUri(text, &u); err != nil {
		return u, fmt.Errorf("dial %q: %w: %w", text, errTarget, err)
	}
	if u.Scheme != "sip" && u.Scheme != "sips" || !isHost(u.Host) || u.Port < 0 || u.Port >= 1<<16 {
		return u, fmt.Errorf("dial %q: %w", text, errTarget)
	}
	u.Headers = nil
	if d.Target.Binding == nil && d.To != "" {
		u.User, u.Password = escapeUser(d.To), ""
	}
	return u, nil
}

// inviteBy opens the dialog and sends its INVITE.
func (l *Leg) inviteBy(way flow, uri sipmsg.Uri) {
	if way.sock == nil {
		l.undialled(fmt.Errorf("dial %s: no listener for this transport and address family; add one to sip.listen", l.outbound.uri))
		return
	}
	d := l.outbound.dial
	host := d.From.Host
	if !isHost(host) {
		host = way.sock.host(way.remote.Addr())
	}
	user := d.From.User
	if user == "" {
		user = "anonymous"
	}
	tag := newToken()
	from := "<sip:" + escapeUser(user) + "@" + hostText(host) + ">;tag=" + tag
	if d.From.Display != "" {
		from = quoted(d.From.Display) + " " + from
	}
	l.outbound.identity = d.Identity.headers(way.sock.host(way.remote.Addr()), d.To, uri.Host)
	to := "<sip:" + uri.Host + ">"
	if callee := escapeUser(d.To); callee != "" {
		to = "<sip:" + callee + "@" + uri.Host + ">"
	} else if uri.User != "" {
		to = "<sip:" + uri.User + "@" + uri.Host + ">"
	}
	l.dialog = &dialog{callID: l.callID, localTag: tag, local: from, remote: to,
		target: uri, contact: way.contactFor(uri.Scheme, d.From.User), next: way, kept: d.Target.Binding != nil}
	l.outbound.root = l.dialog
	l.begin(way)
	l.host = way.remote.Addr().Unmap()
	l.sendInvite()
}

func (l *Leg) sendInvite() {
	o := l.outbound
	d := l.dialog
	d.localSeq++
	r := &request{method: "INVITE", uri: o.uri, from: d.local, to: d.remote, callID: d.callID,
		cseq: d.localSeq, maxForwards: o.dial.MaxForwards, contentType: sdpType, content: o.dial.Offer}
	d.said = o.dial.Offer
	r.routes = o.routes
	if b := o.dial.Target.Binding; b != nil {
		r.routes = b.Path
	}
	r.headers = append(r.headers, Header{"Contact", d.contact}, allowHeader, supportedHeader)
	r.headers = append(r.headers, l.wishes()...)
	r.headers = append(r.headers, o.identity...)
	r.headers = append(r.headers, safe(o.dial.Headers, "")...)
	r.headers = append(r.headers, l.proves(d.peer, "INVITE", r.uri)...)
	var tx *clientTx
	tx = l.ep.request(d.peer, r,
		func(res *sipmsg.Response) { l.box.post(func() { l.inviteAnswered(tx, res) }) },
		func(err error) { l.box.post(func() { l.inviteFailed(tx, err) }) })
	o.tx = tx
	l.listen(tx)
}

// owned are the headers that this room writes; an owner cannot add another.
var owned = map[string]bool{"via": true, "from": true, "to": true, "call-id": true, "cseq": true, "contact": true,
	"content-length": true, "content-type": true, "max-forwards": true, "route": true, "record-route": true,
	"require": true, "proxy-require": true, "session-expires": true, "min-se": true, "rseq": true, "rack": true, "supported": true, "allow": true, "content-encoding": true}

// safe leaves out the headers that are ours to write, but for the one named.
func safe(hs []Header, except string) []Header {
	var out []Header
	for _, h := range hs {
		if name := canonical(h.Name); !owned[name] || name == except {
			out = append(out, h)
		}
	}
	return out
}

// inviteFailed: no response at all, or not sent.
func (l *Leg) inviteFailed(tx *clientTx, err error) {
	o := l.outbound
	if tx != o.tx || l.State() > StateEarly {
		return
	}
	if !errors.Is(err, errTimeout) {
		l.log.Info("invite not sent", "err", err)
	}
	code, reason := verdict(err)
	if errors.Is(err, errRang) { // it rings on until it is told
		l.tell(Rejected{Code: code, Reason: reason})
		l.giveUp(Reason{Protocol: "SIP", Cause: code, Text: reason})
		return
	}
	if !o.cancelling {
		l.forsake(tx)
		if l.elsewhere(unsentBecause(err)) {
			return
		}
	}
	l.end(Rejected{Code: code, Reason: reason})
	l.forget()
}

// inviteAnswered takes the responses to the INVITE, in order.
func (l *Leg) inviteAnswered(tx *clientTx, res *sipmsg.Response) {
	switch {
	case tx != l.outbound.tx:
		l.overdue(tx, res)
	case res.StatusCode < 200:
		switch {
		case l.State() <= StateEarly:
			l.progressed(res)
		case l.is(StateConfirmed):
			l.overtaken(res)
		}
	case res.StatusCode < 300:
		l.forked(res)
	case l.State() > StateEarly:
	default:
		l.refused(res)
	}
}

func (l *Leg) progressed(res *sipmsg.Response) {
	o := l.outbound
	first := !o.heard
	o.heard = true
	l.ep.worked(o.tx.way())
	if o.cancelling && first {
		l.sendCancel()
	}
	if res.StatusCode == sipmsg.StatusTrying {
		if !o.cancelling {
			l.tell(Reached{})
		}
		return
	}
	tag, sdp := tagOf(res.To().Params), sdpOf(res)
	if tag != "" { // else there is no dialog, only news
		d := l.early(tag)
		if d == nil || d.over || !l.inOrder(d, res) {
			return
		}
		sdp = d.described(res, sdp)
	}
	if o.cancelling {
		return
	}
	l.become(StateEarly)
	l.tell(Progressed{Code: res.StatusCode, Reason: plain(res.Reason), SDP: sdp, Dialog: tag})
}

// startOver forgets what became of one INVITE before another one is sent.
func (l *Leg) startOver() {
	l.outbound.heard = false
	clear(l.outbound.early)
	l.withdrawOffer()
}

// refused is a final failure.
func (l *Leg) refused(res *sipmsg.Response) {
	o := l.outbound
	if !o.cancelling && l.challenged(res, l.dialog.peer, o.trial) {
		l.startOver()
		l.sendInvite()
		return
	}
	if !o.cancelling && o.longer < maxLonger && l.longer(res) {
		// RFC 4028 §7.3. A challenge may come again.
		o.longer++
		o.trial = trial{}
		l.startOver()
		l.sendInvite()
		return
	}
	if l.unavailable(res) {
		return
	}
	text, _ := value(res, "reason")
	ev := Rejected{Code: res.StatusCode, Reason: plain(res.Reason), RetryAfter: retryAfter(res), Text: plain(text)}
	for _, h := range res.GetHeaders("contact") {
		if c, ok := h.(*sipmsg.ContactHeader); ok && res.StatusCode < 400 {
			ev.Contacts = append(ev.Contacts, plain(c.Address.String()))
		}
	}
	l.end(ev)
	l.forget()
}
