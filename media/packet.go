package media

import "encoding/binary"

// packet is a received RTP packet, taken apart but not copied.
type packet struct {
	raw     []byte
	pt      uint8
	marker  bool
	seq     uint16
	ts      uint32
	ssrc    uint32
	payload []byte // inside raw, at least headerSize octets from its start
}

// parsePacket takes an RTP packet apart (RFC 3550 §5.1). ok is false for what
// is not RTP: STUN, keep-alives, junk, lengths that lie.
func parsePacket(raw []byte) (p packet, ok bool) {
	if len(raw) < headerSize || raw[0]>>6 != 2 {
		return packet{}, false
	}
	p = packet{
		raw: raw, pt: raw[1] & 0x7f, marker: raw[1]&0x80 != 0,
		seq:  binary.BigEndian.Uint16(raw[2:]),
		ts:   binary.BigEndian.Uint32(raw[4:]),
		ssrc: binary.BigEndian.Uint32(raw[8:]),
	}
	at := headerSize + 4*int(raw[0]&0x0f)
	if raw[0]&0x10 != 0 {
		if len(raw) < at+4 {
			return packet{}, false
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(raw[at+2:]))
	}
	end := len(raw)
	if raw[0]&0x20 != 0 && end > at {
		pad := int(raw[end-1])
		if pad == 0 {
			return packet{}, false
		}
		end -= pad
	}
	if end < at {
		return packet{}, false
	}
	p.payload = raw[at:end]
	return p, true
}

// isRTCP tells RTCP on the RTP port from RTP (RFC 5761 §4).
func isRTCP(raw []byte) bool {
	return len(raw) >= 8 && raw[0]>>6 == 2 && raw[1]&0x80 != 0 && looksLikeRTCP(raw[1]&0x7f)
}

// looksLikeRTCP: marked packets of this payload type are taken for RTCP.
func looksLikeRTCP(pt uint8) bool { return pt >= 64 && pt < 96 }

// reheader writes a new header right before the payload, over whatever was
// there, and gives the packet to be sent. Extensions and sources of the other
// leg end here: they mean nothing on this one.
func (p packet) reheader(pt uint8, marker bool, seq uint16, ts, ssrc uint32) []byte {
	at := cap(p.raw) - cap(p.payload) - headerSize
	b := p.raw[at : at+headerSize+len(p.payload)]
	putHeader(b, pt, marker, seq, ts, ssrc)
	return b
}
