package sip

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"b2bua/internal/loop"

	sipmsg "github.com/emiago/sipgo/sip"
)

// ReferTo is whom a REFER names.
type ReferTo struct {
	URI      string // as written, without its headers
	User     string
	Host     string
	Ours     bool      // Host is this switch, or the URI has none (tel)
	Replaces *Replaces // the dialog whose other side is meant (RFC 3891 in RFC 5589 §7); nil without
}

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
	by, _ := value(tx.req, "referred-by")
	l.tell(Referred{To: to, By: plain(addressIn(by))})
}

// referTo reads the Refer-To header. code refuses the REFER.
func referTo(req *sipmsg.Request) (to ReferTo, code int) {
	var values []string
	for _, h := range req.Headers() {
		if canonical(h.Name()) == "refer-to" {
			values = append(values, h.Value())
		}
	}
	if len(values) != 1 { // RFC 3515 §2.4.2
		return to, 400
	}
	return parseReferTo(values[0])
}

func parseReferTo(v string) (to ReferTo, code int) {
	text := addressIn(v)
	if text == "" || len(text) > maxReplaces || strings.ContainsFunc(text, func(r rune) bool { return isControl(r) || r == ' ' || r == '"' || r == '<' }) {
		return to, 400
	}
	scheme, _, _ := strings.Cut(text, ":")
	switch strings.ToLower(scheme) {
	case "sip", "sips", "tel":
	default:
		if isToken(scheme) && scheme != text {
			return to, 416
		}
		return to, 400
	}
	headers := ""
	if i := headersOf(text); i >= 0 {
		text, headers = text[:i], text[i+1:]
	}
	var u sipmsg.Uri
	if err := sipmsg.ParseUri(text, &u); err != nil {
		return to, 400
	}
	to.URI, to.User = plain(text), userOf(u)
	if u.Scheme != "tel" {
		if to.Host = u.Host; !isHost(u.Host) {
			return to, 400
		}
	}
	if method, ok := param(u.UriParams, "method"); ok && !strings.EqualFold(method, "INVITE") {
		return to, 403 // we call on behalf of nobody but to talk
	}
	return to, to.carries(headers)
}

// carries reads the headers of a URI (RFC 3261 §19.1.1); all but Replaces are
// left aside.
func (to *ReferTo) carries(headers string) (code int) {
	for h := range strings.SplitSeq(headers, "&") {
		name, v, _ := strings.Cut(h, "=")
		if !strings.EqualFold(name, "replaces") {
			continue
		}
		r, ok := parseReplaces(unescape(v))
		if !ok || to.Replaces != nil {
			return 400
		}
		to.Replaces = &r
	}
	return 0
}

// addressIn is the URI in a header value: between angle brackets, or up to the
// header's own parameters. A list of several gives "".
func addressIn(v string) string {
	v = strings.TrimSpace(v)
	if strings.HasPrefix(v, `"`) {
		end := 1
		for end < len(v) && v[end] != '"' {
			if v[end] == '\\' {
				end++
			}
			end++
		}
		v = v[min(end+1, len(v)):]
	}
	open := strings.IndexByte(v, '<')
	if open < 0 {
		v, _, _ = strings.Cut(v, ";")
		if strings.ContainsRune(v, ',') {
			return ""
		}
		return strings.TrimSpace(v)
	}
	uri, rest, ok := strings.Cut(v[open+1:], ">")
	if !ok || strings.ContainsRune(v[:open], ':') || strings.ContainsRune(rest, ',') {
		return ""
	}
	return strings.TrimSpace(uri)
}

// ours reports whether a host is a name or an address of this switch.
func (e *Endpoint) ours(host string) bool {
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, strings.Trim(e.cfg.Advertise, "[]")) || strings.EqualFold(host, e.cfg.Realm) {
		return true
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	addr = addr.Unmap()
	for _, s := range e.sockets {
		if s.bound == addr {
			return true
		}
		if s.bound.IsUnspecified() && local(addr) {
			return true
		}
	}
	return false
}

// local reports whether an interface of this host has the address.
func local(addr netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap() == addr {
			return true
		}
	}
	return false
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
	l.sendReferral(r, "active;expires="+strconv.Itoa(int(left/time.Second)))
}
