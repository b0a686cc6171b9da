package sdp

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"b2bua/media/srtp"
)

// taken is what we and a stream have in common.
type taken struct {
	common       []Format
	ours, theirs srtp.Crypto
}

// choose finds the first stream we can use, one that is encrypted before one that
// is not. When there is none the refusal tells about the stream that came nearest.
func (l Local) choose(offer *Description) (at int, use taken, why *Refusal) {
	nearest := -1
	at = -1
	for i := range offer.Media {
		m := &offer.Media[i]
		if m.Port == 0 {
			continue
		}
		t, far, r := l.judge(m, l.protect)
		switch {
		case r != nil && far > nearest:
			nearest, why = far, r
		case r == nil && t.ours.Valid():
			return i, t, nil
		case r == nil && at < 0:
			at, use = i, t
		}
	}
	if at >= 0 {
		return at, use, nil
	}
	if why == nil {
		why = &Refusal{WarnMediaType, "No audio stream offered"}
	}
	return -1, use, why
}

// judge says what we and a stream have in common, or what is wrong with it and
// how many of the tests it has passed.
func (l Local) judge(m *Media, keys func(*Media) (ours, theirs srtp.Crypto, why *Refusal)) (t taken, far int, why *Refusal) {
	if !strings.EqualFold(m.Kind, "audio") {
		return t, 0, &Refusal{WarnMediaType, "Only audio is taken"}
	}
	if t.ours, t.theirs, why = keys(m); why != nil {
		return t, 1, why
	}
	if why := l.reaches(m); why != nil {
		return t, 2, why
	}
	if t.common = l.common(m); len(t.common) == 0 {
		return t, 3, &Refusal{WarnFormat, "None of the formats is known: " + m.formats()}
	}
	return t, 4, nil
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// reaches refuses addresses that nothing should be sent to. Names are not
// resolved: whoever can name a host could have us ask for it, and send to it.
// 0.0.0.0 is a hold, see far.
func (l Local) reaches(m *Media) *Refusal {
	switch a := m.Addr; {
	case m.Host != "":
		return &Refusal{WarnAddress, "Connection address is a name"}
	case !a.IsValid() || a.IsUnspecified():
		return nil
	case a.IsMulticast():
		return &Refusal{WarnMulticast, "Connection address is multicast"}
	case a == broadcast:
		return &Refusal{WarnAddress, "Connection address is broadcast"}
	case l.owns(a, m.Port) || l.owns(m.RTCP.Addr(), int(m.RTCP.Port())):
		return &Refusal{WarnAddress, "Connection address is our own"}
	case l.Addr.IsValid() && a.Is4() != l.Addr.Unmap().Is4():
		return &Refusal{WarnNetwork, "Only " + address(l.Addr.Unmap())[:3] + " is spoken here"}
	}
	return nil
}

// owns: sound sent there would come back to us.
func (l Local) owns(a netip.Addr, port int) bool {
	return l.Own != nil && a.IsValid() && l.Own(netip.AddrPortFrom(a, uint16(port)))
}

// common lists the far end's formats that we speak, in its order, but the
// preferred one first.
func (l Local) common(m *Media) []Format {
	var out []Format
	for _, f := range m.Formats {
		ours := slices.IndexFunc(l.Codecs, func(c Format) bool { return c.same(f) })
		if ours < 0 || slices.ContainsFunc(out, f.same) {
			continue
		}
		f.Name = l.Codecs[ours].Name
		if strings.EqualFold(f.Name, l.Prefer) {
			out = slices.Insert(out, 0, f)
		} else {
			out = append(out, f)
		}
	}
	return out
}

func (f Format) same(g Format) bool {
	return strings.EqualFold(f.Name, g.Name) && f.Rate == g.Rate && max(f.Channels, 1) == max(g.Channels, 1)
}

// formats lists payload types; they are numbers, so they can be told to anybody.
func (m *Media) formats() string {
	var all []string
	for _, f := range m.Formats {
		if len(all) == 8 {
			all = append(all, "and more")
			break
		}
		all = append(all, strconv.Itoa(int(f.PT)))
	}
	return strings.Join(all, " ")
}
