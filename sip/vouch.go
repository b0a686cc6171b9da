package sip

import (
	"cmp"
	"strings"

	"b2bua/sip/stir"

	sipmsg "github.com/emiago/sipgo/sip"
)

// vouch finds out who vouches for the caller's number: by an Identity header
// (RFC 8224) that we can judge ourselves, else by what the trunk says it found.
// It may wait for a certificate, so it runs where the handler runs. A device has
// proved who it is, and needs nobody's word.
func (e *Endpoint) vouch(a arrival, in *Invitation) {
	if in.Device != nil {
		return
	}
	in.Verstat, in.Attestation = trunkVerstat(a.req)
	if e.cfg.Verify == nil {
		return
	}
	var identities []string
	for _, name := range []string{"identity", "y"} { // RFC 8224 §4: y is its short form
		for _, h := range a.req.GetHeaders(name) {
			identities = append(identities, h.Value())
		}
	}
	if len(identities) == 0 {
		return
	}
	v := e.cfg.Verify.Verify(e.ctx, identities, stir.Call{
		From: shownNumber(in, a.req), To: []string{in.To.User, userOf(a.req.To().Address)},
	})
	if v.Err != nil {
		e.log.Info("caller not vouched for", "source", a.source, "verstat", v.Verstat, "err", v.Err)
	}
	if v.Judged {
		in.Verstat, in.Attestation = v.Verstat, v.Attestation
	}
}

// shownNumber is the number that the call is shown with, which is the one that
// must be vouched for: From, or the asserted one when From says nothing.
func shownNumber(in *Invitation, req *sipmsg.Request) string {
	if !in.Anonymous {
		return in.From.User
	}
	for _, h := range req.GetHeaders("p-asserted-identity") {
		if n := number(uriOf(h.Value())); n != "" {
			return n
		}
	}
	return in.From.User
}

// trunkVerstat is the verstat parameter that a carrier adds to the number it has
// verified (3GPP TS 24.229 §7.2A.20), in P-Asserted-Identity or else in From.
// A stranger's is never seen: only trunks and devices are let in.
func trunkVerstat(req *sipmsg.Request) (verstat, attestation string) {
	said := ""
	for _, h := range req.GetHeaders("p-asserted-identity") {
		said = cmp.Or(said, verstatOf(h.Value()))
	}
	if said == "" {
		said = verstatOf(req.From().Value())
	}
	word := strings.ToLower(said)
	// Some carriers write the attestation behind it: TN-Validation-Passed-A.
	if rest, ok := strings.CutPrefix(word, "tn-validation-passed"); ok {
		level := stir.Attestation(strings.TrimPrefix(rest, "-"))
		if rest != "" && level == "" {
			return stir.None, ""
		}
		if v, ok := value(req, "attestation-info"); ok {
			level = cmp.Or(level, stir.Attestation(strings.TrimSpace(v)))
		}
		return stir.Passed, level
	}
	if strings.HasPrefix(word, "tn-validation-failed") {
		return stir.Failed, ""
	}
	return stir.None, ""
}

// verstatOf reads the parameter wherever in the URI it stands: with the number,
// as written in a tel URI, or after the host.
func verstatOf(address string) string {
	uri := uriOf(address)
	i := strings.Index(strings.ToLower(uri), ";verstat=")
	if i < 0 {
		return ""
	}
	v := uri[i+len(";verstat="):]
	if end := strings.IndexAny(v, ";@?>& ,"); end >= 0 {
		v = v[:end]
	}
	return v
}

// uriOf is the URI of a name-addr or addr-spec.
func uriOf(address string) string {
	if address = strings.TrimSpace(address); strings.HasPrefix(address, `"`) {
		escaped := false
		for i := 1; i < len(address); i++ {
			switch {
			case escaped:
				escaped = false
			case address[i] == '\\':
				escaped = true
			case address[i] == '"':
				address = address[i+1:]
				i = len(address)
			}
		}
	}
	if _, rest, ok := strings.Cut(address, "<"); ok {
		address, _, _ = strings.Cut(rest, ">")
	}
	return address
}

// number is the user part of a sip URI, or the number of a tel URI, without
// parameters.
func number(uri string) string {
	_, rest, _ := strings.Cut(uri, ":")
	if end := strings.IndexAny(rest, ";@?"); end >= 0 {
		rest = rest[:end]
	}
	return unescape(plain(rest))
}
