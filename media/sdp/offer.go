package sdp

import (
	"net/netip"
	"slices"
	"strings"
)

// Offer writes an offer.
func (l Local) Offer() *Description {
	d := l.describe()
	m := Media{
		Kind: "audio", Port: l.Port, Proto: l.profile(), Formats: l.bind(),
		Addr: l.Addr, Direction: l.Direction, PTime: usualPTime,
		RTCP: netip.AddrPortFrom(netip.Addr{}, uint16(l.RTCP)), RTCPMux: l.RTCPMux,
		Crypto: l.offered(),
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

func (l Local) describe() *Description {
	return &Description{Origin: l.Origin, Addr: l.Addr}
}
