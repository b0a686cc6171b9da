package sdp

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"b2bua/media/srtp"
)

var directions = map[string]Direction{
	"sendrecv": SendRecv, "sendonly": SendOnly, "recvonly": RecvOnly, "inactive": Inactive,
}

func (p *parser) attribute(v string) error {
	name, value, _ := strings.Cut(v, ":")
	// Names are case-sensitive (RFC 8866 §5.13); not everybody knows.
	name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
	if d, ok := directions[name]; ok {
		p.setDirection(d)
		return nil
	}
	switch name {
	case "ptime", "maxptime":
		return p.packetTime(name, value)
	}
	if len(p.d.Media) == 0 {
		return nil
	}
	m := &p.d.Media[len(p.d.Media)-1]
	switch name {
	case "rtpmap":
		return m.rtpmap(value)
	case "fmtp":
		m.fmtp(value)
	case "rtcp":
		return m.rtcp(value)
	case "rtcp-mux":
		m.RTCPMux = true
	case "crypto":
		m.crypto(value)
	}
	return nil
}

// crypto reads a key. What cannot be used is passed over, and a tag that was
// there before, too: it tells attributes apart (RFC 4568 §4.1).
func (m *Media) crypto(v string) {
	c, err := srtp.Parse(v)
	if err != nil || len(m.Crypto) == srtp.MaxCrypto {
		return
	}
	if !slices.ContainsFunc(m.Crypto, func(have srtp.Crypto) bool { return have.Tag == c.Tag }) {
		m.Crypto = append(m.Crypto, c)
	}
}

func (p *parser) setDirection(d Direction) {
	if n := len(p.d.Media); n > 0 {
		p.d.Media[n-1].Direction = d
		p.inherit[n-1].direction = true
		return
	}
	p.direction = d
}

// packetTime reads a=ptime and a=maxptime. Some write 20.0, and some write 0
// for "no preference"; a packet time nobody could keep is refused, because
// others have divided by it or allocated for it.
func (p *parser) packetTime(name, value string) error {
	ms, err := strconv.ParseFloat(value, 64)
	if err != nil || ms != ms {
		return fmt.Errorf("%s %.20q: want milliseconds", name, value)
	}
	if ms == 0 {
		return nil
	}
	if ms < 0 || ms > 1e6 {
		return fmt.Errorf("%s %.20q: out of range", name, value)
	}
	d := time.Duration(ms * float64(time.Millisecond)).Truncate(time.Millisecond)
	d = min(max(d, minPTime), maxPTime)
	n := len(p.d.Media)
	switch {
	case name == "ptime" && n == 0:
		p.ptime = d
	case name == "ptime":
		p.d.Media[n-1].PTime, p.inherit[n-1].ptime = d, true
	case n == 0:
		p.maxPTime = d
	default:
		p.d.Media[n-1].MaxPTime, p.inherit[n-1].maxPTime = d, true
	}
	return nil
}

// rtpmap reads <pt> <name>/<rate>[/<channels>]. A map for a payload type that
// is not in the m= line means nothing and is passed over.
func (m *Media) rtpmap(v string) error {
	if !m.RTPProfile() {
		return nil
	}
	pts, enc, _ := strings.Cut(v, " ")
	pt, err := number(pts, 0, 127)
	if err != nil {
		return fmt.Errorf("rtpmap payload type %w", err)
	}
	parts := strings.Split(strings.TrimSpace(enc), "/")
	if parts[0] == "" {
		return nil
	}
	f := Format{Name: parts[0], Rate: 8000, Channels: 1}
	if len(parts) > 1 {
		if f.Rate, err = number(parts[1], 1, 384000); err != nil {
			return fmt.Errorf("rtpmap clock rate %w", err)
		}
	}
	if len(parts) > 2 {
		if f.Channels, err = number(parts[2], 1, 255); err != nil {
			return fmt.Errorf("rtpmap channels %w", err)
		}
	}
	for i := range m.Formats {
		if have := &m.Formats[i]; int(have.PT) == pt {
			have.Name, have.Rate, have.Channels = f.Name, f.Rate, f.Channels
		}
	}
	return nil
}

func (m *Media) fmtp(v string) {
	// Profiles without payload types have format parameters too.
	pt, params, _ := strings.Cut(v, " ")
	for i := range m.Formats {
		if strconv.Itoa(int(m.Formats[i].PT)) == pt {
			m.Formats[i].FMTP = strings.TrimSpace(params)
		}
	}
}

// rtcp reads <port> [IN IP4 <addr>] (RFC 3605 §2.1).
func (m *Media) rtcp(v string) error {
	f := strings.Fields(v)
	if len(f) == 0 {
		return fmt.Errorf("rtcp without a port")
	}
	port, err := number(f[0], 0, 65535)
	if err != nil {
		return fmt.Errorf("rtcp port %w", err)
	}
	var addr netip.Addr
	if len(f) > 3 {
		addr, _ = parseAddr(f[3])
	}
	m.RTCP = netip.AddrPortFrom(addr, uint16(port))
	return nil
}
