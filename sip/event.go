package sip

import (
	"net/netip"
	"time"
)

// Event is what became of a leg. The concrete types are those of this file.
//
// A leg tells at most one of Rejected and Ended, as the last thing. After the
// owner's own Hangup or Reject nothing more is told: the leg ends by itself.
type Event interface{ event() }

// Reached is 100 Trying on a dialled leg: the next hop has the INVITE.
type Reached struct{}

// Retargeted says that the INVITE of a dialled leg goes to Addr now: the first
// address of a host name that had to be looked up, or the next one, Because the
// one before did not take it. That one's silence does not count any more.
type Retargeted struct {
	Addr    netip.AddrPort
	Because string // "no response", "503 Service Unavailable" …; empty for the first
}

// Progressed is a provisional response above 100 on a dialled leg.
type Progressed struct {
	Code   int
	Reason string
	SDP    []byte // early media; nil without
	Dialog string // the To tag: which of several phones behind a fork it is; empty without
}

// Answered says that a dialled leg was answered; its ACK has been sent.
type Answered struct {
	SDP    []byte // nil when nothing is new since what was told before
	Dialog string // the one of several early dialogs that won
}

// Confirmed says that the ACK for our 2xx to the first INVITE came. SDP is the
// answer in it, when the INVITE had no offer.
type Confirmed struct {
	SDP []byte
}

// Rejected says that a dialled leg came to nothing. Code is 408 when nobody
// answered the INVITE at all and 503 when it could not be sent.
type Rejected struct {
	Code       int
	Reason     string
	RetryAfter time.Duration // from a Retry-After header; 0 without
	Contacts   []string      // targets of a 3xx, in order
	Text       string        // verbatim Reason header of the response (RFC 3326)
}

// Offered is a new offer within the dialog, by re-INVITE or UPDATE: to be
// answered by AcceptOffer or RefuseOffer. A nil SDP asks for an offer of ours
// (RFC 3261 §14.2), the answer then comes as Reanswered.
type Offered struct {
	ID     int // of this one of the leg's offers
	SDP    []byte
	Dialog string // the To tag of the early dialog it changes; see Progressed
}

// Reanswered is the answer to Reinvite, or to the offer given to AcceptOffer
// for an Offered without SDP.
type Reanswered struct {
	SDP []byte
}

// ReofferRefused says that Reinvite was refused: the session goes on as it was.
type ReofferRefused struct {
	Code   int
	Reason string
}

// InfoReceived is an INFO request (RFC 6086); it has been answered.
type InfoReceived struct {
	ContentType string
	Body        []byte
}

// Referred is a REFER (RFC 3515): the far end wants somebody else to be connected
// in its place. It is to be answered by AcceptRefer or RefuseRefer, and, once
// accepted, NotifyRefer tells how it goes.
type Referred struct {
	To ReferTo
	By string // the URI in Referred-By (RFC 3892), or ""; the far end's word only
}

// By says what ended a leg.
type By string

// The ways a leg ends other than by its owner.
const (
	ByBye        By = "bye"
	ByCancel     By = "cancel"
	ByAckTimeout By = "ack_timeout"     // no ACK for our 2xx; BYE was sent
	ByTransport  By = "transport"       // the far end has lost the dialog or cannot be reached
	ByExpiry     By = "session_expired" // nobody refreshed the session (RFC 4028 §10); BYE was sent
)

// Ended says that the far end, or silence, ended a leg.
type Ended struct {
	By           By
	Code         int    // a status code that tells why, or 0
	Reason       string // its text
	ReasonHeader string // verbatim Reason header of the BYE or CANCEL (RFC 3326)
}

func (Reached) event()        {}
func (Retargeted) event()     {}
func (Progressed) event()     {}
func (Answered) event()       {}
func (Confirmed) event()      {}
func (Rejected) event()       {}
func (Offered) event()        {}
func (Reanswered) event()     {}
func (ReofferRefused) event() {}
func (InfoReceived) event()   {}
func (Referred) event()       {}
func (Ended) event()          {}
