package sip

import (
	"strconv"
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// receiveInvite begins a call: who is it, is the request sound, then the handler
// decides.
func (e *Endpoint) receiveInvite(a arrival) {
	if code, headers := e.drained(); code != 0 {
		e.refuse(a, code, headers...)
		return
	}
	who, ok := e.admit(a)
	if !ok {
		return
	}
	sdp, code, headers := e.inspect(a)
	switch code {
	case 0:
	case silence:
		return
	default:
		e.refuse(a, code, headers...)
		return
	}
	came := time.Now()
	if !e.load.begin(who.trunk != nil, came) {
		e.refuse(a, 503, Header{"Retry-After", shedRetry})
		return
	}
	e.merged.begun(identity(a.req))
	tx := e.serve(a, newToken())
	if tx == nil {
		e.load.done()
		return
	}
	tx.onFinal(e.load.done)
	leg := newLeg(e, uas)
	leg.reliable.expects(a.req, sdp)
	if !leg.openInbound(tx, who.device != nil) {
		tx.reply(400)
		leg.forget()
		return
	}
	tx.setLeg(leg)
	tx.reply(100)
	in := invitationOf(a, who, sdp)
	in.leg = leg
	e.background(func() {
		defer func() {
			if v := recover(); v != nil {
				leg.box.onPanic(v, nil)
			}
		}()
		now := time.Now()
		e.load.late(now.Sub(came), now)
		e.handler.Invited(in)
	})
}

// silence, as a status, answers nothing.
const silence = -1

// identity is what makes two INVITEs one call (RFC 3261 §8.2.2.2).
func identity(req *sipmsg.Request) string {
	return strings.Join([]string{tagOf(req.From().Params), req.CallID().Value(),
		strconv.FormatUint(uint64(req.CSeq().SeqNo), 10)}, "|")
}

// inspect checks an INVITE in the order of RFC 3261 §8.2. code refuses it.
func (e *Endpoint) inspect(a arrival) (sdp []byte, code int, headers []Header) {
	req := a.req
	if s := req.Recipient.Scheme; s != "sip" && s != "sips" && s != "tel" {
		return nil, 416, nil
	}
	if h := req.MaxForwards(); h != nil && h.Val() == 0 {
		return nil, 483, nil // a call that comes in goes on elsewhere
	}
	switch e.merged.seen(identity(req), serverKey(req, req.Method), time.Now()) {
	case mergedOther:
		return nil, 482, nil
	case mergedLate:
		return nil, silence, nil
	}
	if unsupported := required(req); unsupported != "" {
		return nil, 420, []Header{{"Unsupported", unsupported}}
	}
	replaces, code := replacing(req)
	if code == 0 && replaces != nil {
		code = e.replaceable(*replaces)
	}
	if code != 0 {
		return nil, code, nil
	}
	if h := e.tooBrief(req); h != nil {
		return nil, 422, []Header{*h}
	}
	sdp, code = description(req)
	if code != 0 {
		return nil, code, []Header{acceptHeader, encodingHeader}
	}
	return sdp, 0, nil
}

// openInbound makes the dialog of an INVITE (RFC 3261 §12.1.1). It reports false
// without a usable Contact.
func (l *Leg) openInbound(tx *serverTx, device bool) bool {
	req := tx.req
	l.inbound = tx
	l.callID = req.CallID().Value()
	l.dialog = &dialog{
		callID:    l.callID,
		localTag:  tx.tag,
		remoteTag: tagOf(req.From().Params),
		local:     plain(req.To().Value()) + ";tag=" + tx.tag,
		remote:    plain(req.From().Value()),
		remoteSeq: req.CSeq().SeqNo,
		heard:     true,
		kept:      device,
		routes:    routeSet(req, false),
	}
	l.dialog.contact = tx.flow.contactFor(req.Recipient.Scheme, userOf(req.Recipient))
	l.dialog.note(req)
	l.begin(tx.peer())
	l.lapses(req)
	return l.refresh(l.dialog, req)
}

// userOf is the user part of a URI, or a tel number (RFC 3966) without its
// parameters and separators.
func userOf(u sipmsg.Uri) string {
	user := u.User
	if u.Scheme == "tel" {
		user = u.Raw()
	}
	user, params, _ := strings.Cut(user, ";")
	if u.Scheme == "tel" {
		user = strings.NewReplacer("-", "", ".", "", "(", "", ")", "").Replace(user)
	}
	return plain(unescape(inContext(user, params)))
}

// inContext makes a local number global by the phone-context that says which
// numbers it belongs to, when that is the beginning of one (RFC 3966 §5.1.5).
func inContext(user, params string) string {
	if params == "" || strings.HasPrefix(user, "+") {
		return user
	}
	for p := range strings.SplitSeq(params, ";") {
		name, context, _ := strings.Cut(p, "=")
		if strings.EqualFold(name, "phone-context") && strings.HasPrefix(unescape(context), "+") {
			return unescape(context) + user
		}
	}
	return user
}

func invitationOf(a arrival, who caller, sdp []byte) *Invitation {
	req := a.req
	from := req.From()
	in := &Invitation{
		SIPCallID:   req.CallID().Value(),
		From:        Party{User: userOf(from.Address), Display: displayOf(from.DisplayName), Host: plain(from.Address.Host)},
		Called:      Party{User: userOf(req.To().Address), Display: displayOf(req.To().DisplayName), Host: plain(req.To().Address.Host)},
		To:          Party{User: userOf(req.Recipient), Display: displayOf(req.To().DisplayName), Host: plain(req.Recipient.Host)},
		Trunk:       who.trunk,
		Device:      who.device,
		Source:      a.source,
		Offer:       sdp,
		Reliable:    lists(req, "require", "100rel"),
		MaxForwards: 70,
		headers:     map[string]string{},
	}
	if h := req.MaxForwards(); h != nil {
		in.MaxForwards = int(h.Val()) - 1
	}
	for _, h := range req.Headers() {
		name := canonical(h.Name())
		if strings.HasSuffix(name, "authorization") {
			continue // nobody above needs credentials
		}
		if old, ok := in.headers[name]; ok {
			in.headers[name] = old + ", " + plain(h.Value())
		} else {
			in.headers[name] = plain(h.Value())
		}
	}
	if d := who.device; d != nil {
		// What a device says about itself counts for nothing: it is who it proved
		// to be.
		in.From.User, in.From.Display = d.Number, d.DisplayName
		if in.From.User == "" {
			in.From.User = d.Username
		}
	}
	in.Replaces, _ = replacing(req)
	in.Anonymous = who.device == nil && anonymous(in.From, in.headers["privacy"])
	if who.device == nil {
		in.Verstat, in.Attestation = in.trunkVerstat(req)
		in.identities = identitiesOf(req)
	}
	return in
}

// anonymous is RFC 3323 §4.1.1.3 and what gateways make of it.
func anonymous(from Party, privacy string) bool {
	switch strings.ToLower(from.User) {
	case "", "anonymous", "unavailable", "restricted", "private", "unknown":
		return true
	}
	if strings.EqualFold(from.Host, "anonymous.invalid") {
		return true
	}
	for p := range strings.FieldsFuncSeq(strings.ToLower(privacy), func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
		if p == "id" || p == "user" || p == "header" {
			return true
		}
	}
	return false
}

// displayOf undoes the escapes of a quoted display name.
func displayOf(s string) string {
	s = strings.Trim(strings.TrimSpace(s), `"`)
	if !strings.Contains(s, `\`) {
		return plain(s)
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return plain(b.String())
}
