package sip

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"b2bua/sip/registrar"

	sipmsg "github.com/emiago/sipgo/sip"
)

// receiveRegister is RFC 3261 §10.3. The user is the one of the credentials; the
// To header must agree, so that nobody registers for somebody else.
func (e *Endpoint) receiveRegister(a arrival) {
	if e.shunned(a) {
		return
	}
	who, ok := e.authenticate(a, false)
	if !ok {
		return
	}
	tx := e.serve(a, newToken())
	if tx == nil {
		return
	}
	if unsupported := required(a.req, "outbound"); unsupported != "" {
		tx.reply(420, Header{"Unsupported", unsupported})
		return
	}
	device := who.device
	if device == nil { // a trunk calls in, but is not called at what it registers
		tx.reply(403)
		return
	}
	if user := userOf(a.req.To().Address); !strings.EqualFold(user, device.Username) && user != device.Number {
		tx.reply(403)
		return
	}
	q, ok := registration(a, device.Username)
	if !ok {
		tx.reply(400)
		return
	}
	known := slices.ContainsFunc(e.registrar.Bindings(device.Username), func(b Binding) bool {
		return b.Source == q.Source && b.Transport == q.Transport
	})
	outbound := wantsOutbound(a, q)
	if outbound && len(a.req.GetHeaders("via")) > 1 && !slices.ContainsFunc(q.Path, isOutboundPath) {
		tx.respond(response{code: 439, reason: "First Hop Lacks Outbound Support"})
		return
	}
	bindings, err := e.registrar.Register(q)
	if err != nil {
		code, headers := registerError(err)
		e.log.Info("registration refused", "device", device.ID, "code", code, "err", err)
		tx.reply(code, headers...)
		return
	}
	now := e.cfg.Now()
	headers := []Header{{"Date", now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")}}
	for _, b := range bindings {
		left := int(b.Expires.Sub(now).Round(time.Second) / time.Second)
		headers = append(headers, Header{"Contact", "<" + b.Contact + ">;expires=" + strconv.Itoa(left)})
	}
	for _, p := range q.Path {
		headers = append(headers, Header{"Path", p})
	}
	if outbound {
		headers = append(headers, Header{"Require", "outbound"}, Header{"Flow-Timer", flowTimer})
	}
	tx.reply(200, headers...)
	if !known && len(bindings) > 0 {
		e.SummaryChanged(device.Username) // to this phone it is news
	}
}

// flowTimer is after how many seconds without a word a flow counts as dead.
const flowTimer = "120"

// wantsOutbound reports whether a phone keeps several flows and wishes to hear
// that we know of it (RFC 5626 §6): over UDP that its STUN is answered, too.
func wantsOutbound(a arrival, q registrar.Request) bool {
	return can(a.req, "outbound") &&
		slices.ContainsFunc(q.Contacts, func(c registrar.Contact) bool { return c.Instance != "" && c.RegID > 0 })
}

// isOutboundPath reports whether a proxy on the way keeps the flow to the phone.
func isOutboundPath(path string) bool {
	uri, _, _ := strings.Cut(path, ">")
	return slices.Contains(strings.Split(strings.ToLower(uri), ";"), "ob")
}

func registerError(err error) (code int, headers []Header) {
	var brief *registrar.IntervalError
	switch {
	case errors.As(err, &brief):
		return 423, []Header{{"Min-Expires", strconv.Itoa(int(brief.Min / time.Second))}}
	case errors.Is(err, registrar.ErrStar), errors.Is(err, registrar.ErrContact):
		return 400, nil
	case errors.Is(err, registrar.ErrTooMany):
		return 403, nil
	case errors.Is(err, registrar.ErrFull):
		return 503, []Header{{"Retry-After", "60"}}
	}
	return 500, nil
}

// registration reads what a REGISTER asks for.
func registration(a arrival, user string) (q registrar.Request, ok bool) {
	req := a.req
	q = registrar.Request{User: user, Expires: registrar.NoExpires, CallID: req.CallID().Value(),
		CSeq: req.CSeq().SeqNo, Source: a.source, Local: a.sock.local(), Transport: a.sock.network}
	if v, ok := value(req, "expires"); ok {
		q.Expires = expiry(v)
	}
	if v, ok := value(req, "user-agent"); ok {
		q.UserAgent = plain(v[:min(len(v), maxText)])
	}
	if lists(req, "supported", "path") {
		// RFC 3327 §5.3: who does not say so does not expect it.
		if q.Path, ok = pathOf(req); !ok {
			return q, false
		}
	}
	for _, h := range req.GetHeaders("contact") {
		c, ok := h.(*sipmsg.ContactHeader)
		switch {
		case !ok:
			return q, false
		case c.Address.Wildcard:
			q.Star = true
			continue
		}
		q.Contacts = append(q.Contacts, contactOf(c))
	}
	return q, true
}

const maxPath = 10

// pathOf reads the Path headers: routes to the phone, so each must be a URI in
// angle brackets and nothing that could begin another header.
func pathOf(req *sipmsg.Request) ([]string, bool) {
	var out []string
	for _, h := range req.GetHeaders("path") {
		for v := range strings.SplitSeq(h.Value(), ",") {
			v = plain(strings.TrimSpace(v))
			if len(out) == maxPath || len(v) > maxText || !strings.HasPrefix(v, "<sip") || strings.Count(v, "<") != 1 || strings.Count(v, ">") != 1 {
				return nil, false
			}
			out = append(out, v)
		}
	}
	return out, true
}

func contactOf(c *sipmsg.ContactHeader) registrar.Contact {
	out := registrar.Contact{URI: plain(c.Address.String()), Expires: registrar.NoExpires, Q: 1}
	if v, ok := param(c.Params, "expires"); ok {
		out.Expires = expiry(v)
	}
	if v, ok := param(c.Params, "q"); ok {
		if q, err := strconv.ParseFloat(v, 64); err == nil && q >= 0 && q <= 1 {
			out.Q = q
		}
	}
	if v, ok := param(c.Params, "+sip.instance"); ok {
		out.Instance = strings.Trim(v, `"`)
	}
	if v, ok := param(c.Params, "reg-id"); ok {
		out.RegID, _ = strconv.Atoi(v)
	}
	return out
}

// expiry reads delta-seconds; what is malformed counts as 3600 (RFC 3261
// §10.2.1.1).
func expiry(v string) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 32)
	if err != nil {
		n = 3600
	}
	return time.Duration(n) * time.Second
}
