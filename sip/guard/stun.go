package guard

import (
	"encoding/binary"
	"net/netip"
)

// STUN on the SIP port is how a phone keeps its UDP flow open, and learns that its
// NAT has given it another address (RFC 5626 §3.5.2, §4.4.2; RFC 5389).

const (
	stunHeader = 20
	stunCookie = 0x2112A442

	bindingRequest = 0x0001
	bindingSuccess = 0x0101
	bindingError   = 0x0111

	attrErrorCode     = 0x0009
	attrUnknown       = 0x000A
	attrMappedAddress = 0x0020 // XOR-MAPPED-ADDRESS
	attrOptional      = 0x8000 // may be ignored from here on

	unknownAttribute = 420

	maxUnknown = 8 // named in an answer
)

// isSTUN reports whether a datagram is STUN (RFC 5389 §8). None of it is SIP: the
// cookie has a control character where SIP has its first line, whatever else may
// make it look like one.
func isSTUN(data []byte) bool {
	return len(data) >= stunHeader && data[0]&0xC0 == 0 && binary.BigEndian.Uint32(data[4:]) == stunCookie
}

// stunAnswer is the answer to a Binding request, written into out; nil for what is
// none. It is never three times as long as the request.
func stunAnswer(out, data []byte, from netip.AddrPort) []byte {
	if binary.BigEndian.Uint16(data) != bindingRequest || int(binary.BigEndian.Uint16(data[2:])) != len(data)-stunHeader || len(data)%4 != 0 {
		return nil
	}
	unknown, ok := stunUnknown(data[stunHeader:])
	if !ok {
		return nil
	}
	out = append(out[:0], data[:stunHeader]...) // the cookie and the transaction are the request's
	if len(unknown) > 0 {
		binary.BigEndian.PutUint16(out, bindingError)
		out = append(out, 0, attrErrorCode, 0, 4, 0, 0, unknownAttribute/100, unknownAttribute%100,
			0, attrUnknown, 0, byte(2*len(unknown)))
		for _, a := range unknown {
			out = binary.BigEndian.AppendUint16(out, a)
		}
		if len(unknown)%2 == 1 {
			out = append(out, 0, 0)
		}
	} else {
		binary.BigEndian.PutUint16(out, bindingSuccess)
		out = appendMapped(out, from)
	}
	binary.BigEndian.PutUint16(out[2:], uint16(len(out)-stunHeader))
	return out
}

// stunUnknown reads the attributes: those that must be understood and are not
// (RFC 5389 §7.3.1), for a keep-alive needs none. It reports false when they are
// malformed.
func stunUnknown(attrs []byte) (unknown []uint16, ok bool) {
	for len(attrs) > 0 {
		if len(attrs) < 4 {
			return nil, false
		}
		kind, size := binary.BigEndian.Uint16(attrs), int(binary.BigEndian.Uint16(attrs[2:]))
		size = 4 + (size+3)&^3
		if size > len(attrs) {
			return nil, false
		}
		if kind < attrOptional && len(unknown) < maxUnknown {
			unknown = append(unknown, kind)
		}
		attrs = attrs[size:]
	}
	return unknown, true
}

// appendMapped writes where the request came from, so that no NAT on the way
// changes it again (RFC 5389 §15.2).
func appendMapped(out []byte, from netip.AddrPort) []byte {
	addr := from.Addr().Unmap()
	ip := addr.AsSlice()
	family := byte(1)
	if addr.Is6() {
		family = 2
	}
	port := from.Port() ^ stunCookie>>16
	out = append(out, 0, attrMappedAddress, 0, byte(4+len(ip)), 0, family, byte(port>>8), byte(port))
	for i, b := range ip {
		out = append(out, b^out[4+i]) // the cookie, and then the transaction
	}
	return out
}

// stun answers whoever is known to be there. A stranger's address may be forged,
// so he gets nothing.
func (c *Conn) stun(data []byte, from netip.AddrPort) {
	known := c.cfg.Known(from) || c.cfg.Guard.cfg.Trusted(from.Addr())
	if !known || !c.cfg.Guard.Allow(from.Addr(), 0) {
		c.counts.junk.Add(1)
		return
	}
	var buf [stunHeader + 12 + 2*maxUnknown + 16]byte
	answer := stunAnswer(buf[:0], data, from)
	if answer == nil {
		c.counts.junk.Add(1)
		return
	}
	c.counts.keepalives.Add(1)
	c.write(answer, from)
}
