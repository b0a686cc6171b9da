package sdp

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
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
	// Codecs are the codecs we speak, best first, with the payload types we
	// offer them under.
	Codecs []Format
	// Prefer names the codec to take, if the far end has it too, and to offer
	// first.
	Prefer string
	// EventPT is the payload type we offer telephone-events under, or NoPT.
	EventPT int
	// Direction is what we are willing to do.
	Direction Direction
	// Layout is how the streams lay in the last description both sides agreed
	// upon, and Index which of them is ours: a stream keeps its place for the
	// life of the dialog (RFC 3264 §8).
	Layout []Media
	Index  int
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
	// Send are the formats to send, the one to use first, under the far end's
	// payload types; Recv are those that may arrive, under ours.
	Send []Format
	Recv []Format
	// SendEvent and RecvEvent are the telephone-event payload types, or NoPT.
	SendEvent int
	RecvEvent int
	// Direction is what we may do now.
	Direction Direction
	// Held: the far end does not want to hear us.
	Held bool
	// Codecs names all codecs both sides have, in the far end's order but the
	// one in use first.
	Codecs []string
}

// Offer writes an offer.
func (l Local) Offer() *Description {
	d := l.describe()
	m := Media{
		Kind: "audio", Port: l.Port, Proto: "RTP/AVP", Formats: l.preferred(),
		Addr: l.Addr, Direction: l.Direction, PTime: 20 * time.Millisecond,
		RTCP: netip.AddrPortFrom(netip.Addr{}, uint16(l.RTCP)),
	}
	if l.Index < len(l.Layout) {
		m.Proto = l.Layout[l.Index].Proto
	}
	if l.EventPT >= 0 {
		m.Formats = append(m.Formats, eventFormat(uint8(l.EventPT), keys))
	}
	for i := range l.Layout {
		if i == l.Index {
			d.Media = append(d.Media, m)
		} else {
			d.Media = append(d.Media, refuse(l.Layout[i]))
		}
	}
	if len(l.Layout) == 0 {
		d.Media = []Media{m}
	}
	return d
}

// preferred lists our codecs, the preferred one first.
func (l Local) preferred() []Format {
	out := slices.Clone(l.Codecs)
	if i := slices.IndexFunc(out, func(f Format) bool { return strings.EqualFold(f.Name, l.Prefer) }); i > 0 {
		f := out[i]
		out = slices.Insert(slices.Delete(out, i, i+1), 0, f)
	}
	return out
}

// Answer answers an offer: one codec and telephone-events for the first audio
// stream we can use, port 0 for all the others, in the same order
// (RFC 3264 §6). One codec only, so that the far end does not switch in
// mid-call between two that a bridge would have to follow.
func (l Local) Answer(offer *Description) (*Description, Agreement, error) {
	at, common, why := l.choose(offer)
	if why != nil {
		if removed(offer) {
			return l.answerRemoved(offer)
		}
		return nil, Agreement{}, fmt.Errorf("%w (offered %s)", why, summary(offer))
	}
	theirs := &offer.Media[at]
	a := Agreement{Index: at, SendEvent: NoPT, RecvEvent: NoPT}
	a.Send = common[:1:1]
	a.Recv = a.Send
	for _, f := range common {
		a.Codecs = append(a.Codecs, f.Name)
	}
	m := Media{
		Kind: theirs.Kind, Port: l.Port, Proto: theirs.Proto, Formats: slices.Clone(a.Send),
		Addr: l.Addr, PTime: 20 * time.Millisecond,
		RTCP: netip.AddrPortFrom(netip.Addr{}, uint16(l.RTCP)),
	}
	if pt, set := theirs.event(a.Send[0].Rate); pt >= 0 && l.EventPT >= 0 {
		a.SendEvent, a.RecvEvent = pt, pt
		m.Formats = append(m.Formats, eventFormat(uint8(pt), set))
	}
	a.far(theirs, l)
	m.Direction = a.Direction
	d := l.describe()
	for i := range offer.Media {
		if i == at {
			d.Media = append(d.Media, m)
		} else {
			d.Media = append(d.Media, refuse(offer.Media[i]))
		}
	}
	a.Layout = slices.Clone(d.Media)
	return d, a, nil
}

// Accept takes the far end's answer to an offer that l made.
func (l Local) Accept(answer *Description) (Agreement, error) {
	at := 0
	if len(l.Layout) > 0 {
		at = l.Index
	}
	if at >= len(answer.Media) {
		return Agreement{}, fmt.Errorf("%w: the answer has %d streams, ours is number %d", ErrSyntax, len(answer.Media), at+1)
	}
	theirs := &answer.Media[at]
	if theirs.Port == 0 {
		return Agreement{}, fmt.Errorf("%w (answered %s)", &Refusal{WarnMediaType, "The audio stream was refused"}, theirs)
	}
	common, _, why := l.judge(theirs)
	if why != nil {
		return Agreement{}, fmt.Errorf("%w (answered %s)", why, theirs)
	}
	a := Agreement{Index: at, SendEvent: NoPT, RecvEvent: NoPT, Send: common, Recv: l.Codecs, Layout: l.Offer().Media}
	for _, f := range a.Send {
		a.Codecs = append(a.Codecs, f.Name)
	}
	if pt, _ := theirs.event(a.Send[0].Rate); pt >= 0 && l.EventPT >= 0 {
		a.SendEvent, a.RecvEvent = pt, l.EventPT
	}
	a.far(theirs, l)
	return a, nil
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
	if m.RTCP.Port() != 0 {
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
	a := Agreement{SendEvent: NoPT, RecvEvent: NoPT, Direction: Inactive, Held: true}
	for i := range offer.Media {
		d.Media = append(d.Media, refuse(offer.Media[i]))
		if strings.EqualFold(offer.Media[i].Kind, "audio") {
			a.Index = i
		}
	}
	a.Layout = slices.Clone(d.Media)
	return d, a, nil
}

func (l Local) describe() *Description {
	return &Description{Origin: l.Origin, Addr: l.Addr}
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
