package sip

import (
	"net/netip"
	"sync"
)

// Invitation is an INVITE that has been admitted and awaits a decision: Take or
// Reject, the first one counts.
type Invitation struct {
	SIPCallID   string
	From        Party // as the caller says; a device's number when it has one
	To          Party // the Request-URI: whom the call is for
	Called      Party // the To header: whom the caller called
	Anonymous   bool  // no usable caller identity (RFC 3323, RFC 3325)
	Trunk       *Trunk
	Device      *Device // nil for calls from trunks
	Source      netip.AddrPort
	Offer       []byte    // nil when the INVITE has no offer
	Reliable    bool      // the caller insists on reliable provisional responses (RFC 3262)
	MaxForwards int       // what the next leg may use (RFC 3261 §16.6)
	Replaces    *Replaces // the call wants the place of this dialog of ours (RFC 3891); nil without

	// Verstat says whether the caller's number is vouched for (RFC 8224), when
	// the call is from a trunk: "passed", "failed" or "none". Attestation is how
	// far it is when it passed (RFC 8588): "A", "B" or "C", or "" when nobody said.
	// It is the trunk's word until Vouch has judged.
	Verstat, Attestation string

	leg        *Leg
	headers    map[string]string // lower-case name, values joined by ", "
	identities []string          // to be judged
	decided    sync.Once
}

// Header gives a header field of the INVITE, several joined by commas.
func (in *Invitation) Header(name string) string { return in.headers[canonical(name)] }

// Reject answers with a final response of 300 to 699.
func (in *Invitation) Reject(code int, reason string, headers ...Header) {
	in.decided.Do(func() { in.leg.Reject(code, reason, headers...) })
}

// Take makes the invitation a leg of a call. From then on its events are posted,
// and on is called there, in order. A second Take, or one after Reject, gives a
// leg that tells nothing.
func (in *Invitation) Take(post func(func()) bool, on func(Event)) *Leg {
	in.decided.Do(func() { in.leg.own(post, on) })
	return in.leg
}
