package sip

import (
	"strings"

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
	a, ok := readNameAddr(v)
	text := a.uri
	if !ok || len(text) > maxReplaces || strings.ContainsFunc(text, func(r rune) bool { return isControl(r) || r == ' ' || r == '"' || r == '<' }) {
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
