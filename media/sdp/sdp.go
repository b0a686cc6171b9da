package sdp

import (
	"errors"
	"net/netip"
	"time"

	"b2bua/media/srtp"
)

// What parsing and negotiation can say.
var (
	// ErrSyntax: the description cannot be understood, or is larger than any
	// honest one.
	ErrSyntax = errors.New("sdp: malformed description")
	// ErrNoCommonCodec: there is no audio stream both sides could use; the SIP
	// answer is 488. A Refusal tells why.
	ErrNoCommonCodec = errors.New("sdp: no common codec")
)

// Direction is which way media flows, seen by the side that wrote it.
type Direction uint8

// The directions of RFC 8866 §6.7.
const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

// Description is one session description, as far as audio needs it.
type Description struct {
	Origin Origin
	Name   string
	// Addr is the session-level connection address; Host keeps it as written
	// when it is a name instead.
	Addr  netip.Addr
	Host  string
	Media []Media
}

// Origin is the o= line.
type Origin struct {
	User    string
	ID      uint64
	Version uint64
	Addr    netip.Addr
}

// Media is one m= section.
type Media struct {
	Kind    string // audio, video, image, …
	Port    int    // 0: refused or removed
	Proto   string // RTP/AVP
	Formats []Format
	// Fmt is the format list as written, for kinds and profiles we only refuse.
	Fmt []string
	// Addr is where this stream goes: the section's own c= line, else the
	// session's. It is invalid when none was written, or what Host keeps.
	Addr      netip.Addr
	Host      string
	Direction Direction
	RTCP      netip.AddrPort // a=rtcp; only the port when no address was given
	RTCPMux   bool
	PTime     time.Duration
	MaxPTime  time.Duration
	// Crypto are the keys offered or taken (RFC 4568), those left out that are of
	// no use here.
	Crypto []srtp.Crypto
}

// Format is one payload type of an RTP stream.
type Format struct {
	// PT is the payload type; in Local.Codecs one above 127 stands for a dynamic
	// one that is to be found.
	PT       uint8
	Name     string
	Rate     int
	Channels int
	FMTP     string
}
