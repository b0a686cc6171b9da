package sdp

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"b2bua/media/srtp"
)

// TelephoneEvent is the encoding name of RFC 4733 digits.
const TelephoneEvent = "telephone-event"

// NoPT says that there is no payload type for something.
const NoPT = -1

// Local is what this side can do; it offers and answers with it.
type Local struct {
	Origin Origin
	Addr   netip.Addr
	Port   int
	RTCP   int
	// Own says which addresses are ours, so that no stream is taken that would be
	// sent back to us; nil: none.
	Own func(netip.AddrPort) bool
	// Codecs are the codecs we speak, best first, with the payload types we
	// offer them under, and the parameters we want to be sent.
	Codecs []Format
	// Prefer names the codec to take, if the far end has it too, and to offer
	// first.
	Prefer string
	// EventPT is the payload type we offer telephone-events under at 8 kHz, or NoPT.
	// Codecs of other clock rates have events of their own (RFC 4733 §2.1).
	EventPT int
	// ComfortNoise offers and takes CN (RFC 3389) at 8 kHz.
	ComfortNoise bool
	// RTCPMux offers and takes RTCP on the RTP port (RFC 5761).
	RTCPMux bool
	// Direction is what we are willing to do.
	Direction Direction
	// Layout is how the streams lay in the last description both sides agreed
	// upon, and Index which of them is ours: a stream keeps its place for the
	// life of the dialog (RFC 3264 §8).
	Layout []Media
	Index  int
	// Bound is what payload types have stood for in this dialog.
	Bound []Format
	// SRTP says whether sound is encrypted. Keys are ours, one for each suite: they
	// are needed unless it is off. InUse is the one of them that was agreed upon,
	// if any was.
	SRTP  Policy
	Keys  srtp.Set
	InUse srtp.Crypto
}

// Agreement is what an exchange of offer and answer came to.
type Agreement struct {
	// Index is the place of the audio stream among the m= lines.
	Index int
	// Layout repeats the m= lines, to be kept in later offers.
	Layout []Media
	// Remote is where to send. Its address is invalid when the far end named
	// none (a host name, or 0.0.0.0); then it is learnt from what arrives.
	Remote     netip.AddrPort
	RemoteRTCP netip.AddrPort
	// RTCPMux: RTCP goes to Remote, and comes where RTP does.
	RTCPMux bool
	// Send are the formats to send, the one to use first, under the far end's
	// payload types and with the parameters it wants; Recv are those that may
	// arrive, under ours.
	Send []Format
	Recv []Format
	// SendEvent and RecvEvent are the telephone-event payload types at the clock
	// rate of the codec in use, or NoPT. RecvEvents are all that may arrive.
	SendEvent  int
	RecvEvent  int
	RecvEvents []Format
	// SendNoise and RecvNoise are the payload types of comfort noise for the codec
	// in use, or NoPT.
	SendNoise int
	RecvNoise int
	// PTime is how much sound to put into a packet.
	PTime time.Duration
	// Ours is what we encrypt with, and Theirs what the far end does; not valid:
	// the sound is in the clear.
	Ours   srtp.Crypto
	Theirs srtp.Crypto
	// Bound is Local.Bound for what comes next.
	Bound []Format
	// Direction is what we may do now.
	Direction Direction
	// Held: the far end does not want to hear us.
	Held bool
	// Codecs names all codecs both sides have, in the far end's order but the
	// one in use first.
	Codecs []string
}

// far fills in where the far end is and which way the stream flows.
func (a *Agreement) far(m *Media, l Local) {
	flow := m.Direction
	addr := m.Addr
	if addr.IsUnspecified() {
		// Hold as RFC 2543 had it (RFC 3264 §8.4): nothing may be sent there.
		flow = directionOf(flow.Sends(), false)
		addr = netip.Addr{}
	}
	if addr.IsLoopback() && l.Addr.IsValid() && !l.Addr.IsLoopback() {
		// To us that would be this very machine, which nobody outside of it may
		// aim at: the far end is learnt from what arrives.
		addr = netip.Addr{}
	}
	a.Remote = netip.AddrPortFrom(addr, uint16(m.Port))
	a.RemoteRTCP = netip.AddrPortFrom(addr, uint16(min(m.Port+1, 65535)))
	a.RTCPMux = m.RTCPMux && l.RTCPMux
	a.PTime = m.packetTime()
	if a.RTCPMux {
		a.RemoteRTCP = a.Remote
	} else if m.RTCP.Port() != 0 {
		// The port only (RFC 3605 §2.1): with an address of its own, reports
		// could be aimed at anybody.
		a.RemoteRTCP = netip.AddrPortFrom(addr, m.RTCP.Port())
	}
	a.Held = !flow.Receives()
	mine := flow.Reverse()
	a.Direction = directionOf(mine.Sends() && l.Direction.Sends(), mine.Receives() && l.Direction.Receives())
}

// refuse repeats a stream with port 0.
func refuse(m Media) Media {
	r := Media{Kind: m.Kind, Proto: m.Proto, Fmt: m.Fmt}
	if len(r.Fmt) == 0 {
		for _, f := range m.Formats {
			r.Fmt = append(r.Fmt, fmt.Sprint(f.PT))
		}
	}
	if len(r.Fmt) == 0 {
		r.Fmt = []string{"0"}
	}
	return r
}

// removed: the offer has audio, but all of it with port 0.
func removed(offer *Description) bool {
	audio := 0
	for i := range offer.Media {
		if m := &offer.Media[i]; strings.EqualFold(m.Kind, "audio") {
			if m.Port != 0 {
				return false
			}
			audio++
		}
	}
	return audio > 0
}

// answerRemoved agrees that there is no stream (RFC 3264 §8.2).
func (l Local) answerRemoved(offer *Description) (*Description, Agreement, error) {
	d := l.describe()
	a := agreement(0)
	a.Direction, a.Held, a.Bound = Inactive, true, l.Bound
	for i := range offer.Media {
		d.Media = append(d.Media, refuse(offer.Media[i]))
		if strings.EqualFold(offer.Media[i].Kind, "audio") {
			a.Index = i
		}
	}
	a.Layout = slices.Clone(d.Media)
	return d, a, nil
}

func summary(d *Description) string {
	if len(d.Media) == 0 {
		return "no stream"
	}
	names := make([]string, 0, len(d.Media))
	for i := range d.Media {
		names = append(names, d.Media[i].String())
	}
	return strings.Join(names, ", ")
}
