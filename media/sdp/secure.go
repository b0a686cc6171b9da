package sdp

import (
	"strings"

	"b2bua/media/srtp"
)

// Policy is whether sound is to be encrypted with the keys of descriptions
// (RFC 4568).
type Policy uint8

// The policies.
const (
	// Off offers and takes RTP/AVP.
	Off Policy = iota
	// Optional offers RTP/SAVP, and takes what is offered. There is one stream in
	// an offer: two would be two calls to many far ends. Whoever does not know
	// RTP/SAVP refuses, and gets another offer with Off.
	Optional
	// Required offers RTP/SAVP, and takes nothing that is not encrypted.
	Required
)

// ParsePolicy reads off, optional or required; anything else is off.
func ParsePolicy(name string) Policy {
	switch name {
	case "optional":
		return Optional
	case "required":
		return Required
	}
	return Off
}

const (
	plainProfile  = "RTP/AVP"
	secureProfile = "RTP/SAVP"
)

// plain: AVPF is answered as AVPF (RFC 4585 §4.2), its feedback is merely not
// used.
func (m *Media) plain() bool {
	return strings.EqualFold(m.Proto, plainProfile) || strings.EqualFold(m.Proto, "RTP/AVPF")
}

// secure: RTP/SAVP (RFC 3711 §12) and RTP/SAVPF (RFC 5124), not those whose keys
// come by DTLS.
func (m *Media) secure() bool {
	return strings.EqualFold(m.Proto, secureProfile) || strings.EqualFold(m.Proto, "RTP/SAVPF")
}

// protect chooses the keys for a stream that is offered. A stream of a plain
// profile may have keys, too: whoever understands them uses them (RFC 8643 §3).
func (l Local) protect(m *Media) (ours, theirs srtp.Crypto, why *Refusal) {
	if l.SRTP != Off && (m.secure() || m.plain()) {
		if ours, theirs, ok := l.Keys.Answer(m.Crypto); ok {
			return ours, theirs, nil
		}
	}
	return ours, theirs, l.unprotected(m)
}

// protected finds the keys in an answer to our offer.
func (l Local) protected(m *Media) (ours, theirs srtp.Crypto, why *Refusal) {
	offered := l.offered()
	if len(offered) > 0 {
		if ours, theirs, ok := offered.Accept(m.Crypto); ok && (m.secure() || m.plain()) {
			return ours, theirs, nil
		}
	}
	if why = l.unprotected(m); why == nil && l.InUse.Valid() {
		// What was encrypted is not suddenly heard by everybody.
		why = &Refusal{WarnTransport, "The keys are missing"}
	}
	return ours, theirs, why
}

// unprotected says why a stream cannot be taken as it is, without keys.
func (l Local) unprotected(m *Media) *Refusal {
	switch {
	case m.secure() && l.SRTP != Off:
		return &Refusal{WarnTransport, "None of the keys can be used"}
	case !m.plain():
		return &Refusal{WarnTransport, "Only RTP/AVP is taken"}
	case l.SRTP == Required:
		return &Refusal{WarnTransport, "Only RTP/SAVP is taken"}
	}
	return nil
}

// profile is what our stream is offered as: what it was, if it is there already.
func (l Local) profile() string {
	if l.Index < len(l.Layout) {
		if m := &l.Layout[l.Index]; m.plain() || m.secure() && len(l.Keys) > 0 {
			return m.Proto
		}
	}
	if l.SRTP != Off && len(l.Keys) > 0 {
		return secureProfile
	}
	return plainProfile
}

// offered are the keys of an offer of ours, those in use first.
func (l Local) offered() srtp.Set {
	if l.InUse.Valid() {
		return l.Keys.First(l.InUse)
	}
	if m := (Media{Proto: l.profile()}); m.secure() {
		return l.Keys
	}
	return nil
}
