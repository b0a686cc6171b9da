package sdp

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

func agreement(index int) Agreement {
	return Agreement{Index: index, SendEvent: NoPT, RecvEvent: NoPT, SendNoise: NoPT, RecvNoise: NoPT, PTime: usualPTime}
}

// Answer answers an offer: one codec, telephone-events and comfort noise at its
// clock for the first audio stream we can use, one that is encrypted before one
// that is not, and port 0 for all the others, in the same order (RFC 3264 §6). One
// codec only, so that the far end does not switch in mid-call between two that a
// bridge would have to follow.
func (l Local) Answer(offer *Description) (*Description, Agreement, error) {
	at, taken, why := l.choose(offer)
	if why != nil {
		if removed(offer) {
			return l.answerRemoved(offer)
		}
		return nil, Agreement{}, fmt.Errorf("%w (offered %s)", why, summary(offer))
	}
	theirs := &offer.Media[at]
	a := agreement(at)
	a.Ours, a.Theirs = taken.ours, taken.theirs
	a.Send = taken.common[:1:1]
	a.Recv = []Format{l.own(a.Send[0])}
	for _, f := range taken.common {
		a.Codecs = append(a.Codecs, f.Name)
	}
	m := Media{
		Kind: theirs.Kind, Port: l.Port, Proto: theirs.Proto, Formats: slices.Clone(a.Recv),
		Addr: l.Addr, PTime: usualPTime,
	}
	rate := a.Send[0].Rate
	if pt, set := event(theirs.Formats, rate); pt >= 0 && l.EventPT >= 0 {
		a.SendEvent, a.RecvEvent = pt, pt
		a.RecvEvents = []Format{eventFormat(uint8(pt), rate, set)}
		m.Formats = append(m.Formats, a.RecvEvents...)
	}
	if pt := noise(theirs.Formats, rate); pt >= 0 && l.ComfortNoise && rate == eventClock {
		a.SendNoise, a.RecvNoise = pt, pt
		m.Formats = append(m.Formats, Format{PT: uint8(pt), Name: comfortNoiseName, Rate: rate, Channels: 1})
	}
	a.far(theirs, l)
	if m.RTCPMux = a.RTCPMux; !a.RTCPMux {
		m.RTCP = netip.AddrPortFrom(netip.Addr{}, uint16(l.RTCP))
	}
	if a.Ours.Valid() {
		m.Crypto = append(m.Crypto, a.Ours)
	}
	m.Direction = a.Direction
	a.Bound = bound(bound(l.Bound, theirs.Formats), m.Formats)
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

// own is a format of the far end's as we want to be sent it: its payload type,
// our parameters.
func (l Local) own(f Format) Format {
	if i := slices.IndexFunc(l.Codecs, f.same); i >= 0 {
		f.FMTP = l.Codecs[i].FMTP
	}
	return f
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
	taken, _, why := l.judge(theirs, l.protected)
	if why != nil {
		return Agreement{}, fmt.Errorf("%w (answered %s)", why, theirs)
	}
	a := agreement(at)
	a.Ours, a.Theirs = taken.ours, taken.theirs
	a.Layout = l.Offer().Media
	offered := a.Layout[at].Formats
	a.Send, a.Bound = taken.common, bound(l.Bound, offered)
	for _, f := range offered {
		switch {
		case strings.EqualFold(f.Name, TelephoneEvent):
			a.RecvEvents = append(a.RecvEvents, f)
		case !strings.EqualFold(f.Name, comfortNoiseName):
			a.Recv = append(a.Recv, f)
		}
	}
	for _, f := range a.Send {
		a.Codecs = append(a.Codecs, f.Name)
	}
	rate := a.Send[0].Rate
	if pt, _ := event(theirs.Formats, rate); pt >= 0 {
		if own, _ := event(offered, rate); own >= 0 {
			a.SendEvent, a.RecvEvent = pt, own
		}
	}
	if pt := noise(theirs.Formats, rate); pt >= 0 {
		if own := noise(offered, rate); own >= 0 {
			a.SendNoise, a.RecvNoise = pt, own
		}
	}
	a.far(theirs, l)
	return a, nil
}
