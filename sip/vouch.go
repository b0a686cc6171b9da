package sip

import (
	"cmp"
	"strings"

	"b2bua/sip/stir"

	sipmsg "github.com/emiago/sipgo/sip"
)

// Vouch finds out who vouches for the caller's number: by an Identity header
// (RFC 8224) that we can judge ourselves, else by what the trunk says it found. It
// may wait for a certificate. A device has proved who it is, and needs nobody's
// word. caller and callee make E.164 of a number as the trunk writes it, which is
// what an identity has (RFC 8224 §8.3); of one with a plus they need not.
func (in *Invitation) Vouch(caller, callee func(string) string) {
	e := in.leg.ep
	identities := in.identities
	in.identities = nil
	if e.cfg.Verify == nil || len(identities) == 0 {
		return
	}
	v := e.cfg.Verify.Verify(e.ctx, identities, stir.Call{
		From: international(in.shownNumber(), caller),
		To:   []string{international(in.To.User, callee), international(in.Called.User, callee)},
	})
	if v.Err != nil {
		e.log.Info("caller not vouched for", "source", in.Source, "verstat", v.Verstat, "err", v.Err)
	}
	if v.Judged {
		in.Verstat, in.Attestation = v.Verstat, v.Attestation
	}
}

// international is a number in E.164. What has a plus is that, and is not to become
// the short number that the same rules may make of it for our own use.
func international(number string, write func(string) string) string {
	if strings.HasPrefix(number, "+") {
		return number
	}
	return write(number)
}

// identitiesOf are the Identity headers of a call from a trunk. They are long, and
// kept until the call is let in.
func identitiesOf(req *sipmsg.Request) (list []string) {
	for _, name := range []string{"identity", "y"} { // RFC 8224 §4: y is its short form
		for _, h := range req.GetHeaders(name) {
			list = append(list, h.Value())
		}
	}
	return list
}

// asserts reports whether the caller is whom the trunk asserts, and not whom From
// names: the asserted identity is what such a trunk stands for (RFC 8224 §4.1
// leaves that to us), and all there is when From says nothing.
func (in *Invitation) asserts() bool { return in.Trunk != nil && (in.Trunk.Believed || in.Anonymous) }

// shownNumber is the number that the call is shown with, which is the one that
// must be vouched for.
func (in *Invitation) shownNumber() string {
	if in.asserts() {
		if p, ok := in.Asserted(); ok {
			return p.User
		}
	}
	return in.From.User
}

// trunkVerstat is the verstat parameter that a carrier adds to the number it has
// verified (3GPP TS 24.229 §7.2A.20): to the one of P-Asserted-Identity that the
// call is shown with, or else to that of From. A stranger's is never seen: only
// trunks and devices are let in.
func (in *Invitation) trunkVerstat(req *sipmsg.Request) (verstat, attestation string) {
	said := ""
	p, written, ok := in.asserted()
	if ok = ok && in.asserts(); ok {
		said = verstatOf(written)
	}
	if said == "" && (!ok || p.User == in.From.User) {
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
	a, _ := readNameAddr(address)
	uri := a.uri
	if !strings.Contains(address, "<") {
		uri += a.params // RFC 3325 §9.1: this header has none of its own
	}
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
