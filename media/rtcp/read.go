package rtcp

import "encoding/binary"

// Heard is what a compound says that matters to one who sends one stream.
type Heard struct {
	// SSRC is who reports.
	SSRC uint32
	// Sent is what it sends, if Sender.
	Sender bool
	Sent   Sent
	// Block is what it reports about us, if Reported.
	Reported bool
	Block    Block
	// Bye: it ends its stream. A call does not end by that.
	Bye bool
}

// Read takes a compound apart (RFC 3550 A.2): all packets have version 2, only the
// last is padded, and their lengths make up the datagram. ours is the source whose
// reports are wanted.
func Read(raw []byte, ours uint32) (h Heard, err error) {
	if len(raw) < header {
		return Heard{}, ErrMalformed
	}
	for len(raw) > 0 {
		if len(raw) < header || raw[0]&0xc0 != version {
			return Heard{}, ErrMalformed
		}
		size := header + 4*int(binary.BigEndian.Uint16(raw[2:]))
		if size > len(raw) {
			return Heard{}, ErrMalformed
		}
		packet := raw[:size]
		raw = raw[size:]
		if packet[0]&padding != 0 {
			pad := int(packet[size-1])
			if len(raw) > 0 || pad == 0 || pad%4 != 0 || pad > size-header {
				return Heard{}, ErrMalformed
			}
			packet = packet[:size-pad]
		}
		if !h.read(packet, ours) {
			return Heard{}, ErrMalformed
		}
	}
	return h, nil
}

// read takes one packet, as long as its header says; what is of no interest is
// passed over.
func (h *Heard) read(p []byte, ours uint32) bool {
	count, kind, body := int(p[0]&0x1f), p[1], p[header:]
	switch kind {
	case senderReport:
		if len(body) < 24+count*blockLen {
			return false
		}
		h.SSRC, h.Sender = binary.BigEndian.Uint32(body), true
		h.Sent = Sent{
			NTP: binary.BigEndian.Uint64(body[4:]), Time: binary.BigEndian.Uint32(body[12:]),
			Packets: binary.BigEndian.Uint32(body[16:]), Octets: binary.BigEndian.Uint32(body[20:]),
		}
		h.blocks(body[24:24+count*blockLen], ours)
	case receiverReport:
		if len(body) < 4+count*blockLen {
			return false
		}
		h.SSRC = binary.BigEndian.Uint32(body)
		h.blocks(body[4:4+count*blockLen], ours)
	case goodbye:
		if len(body) < 4*count {
			return false
		}
		h.Bye = true
	}
	return true
}

func (h *Heard) blocks(b []byte, ours uint32) {
	for ; len(b) >= blockLen; b = b[blockLen:] {
		if binary.BigEndian.Uint32(b) != ours {
			continue
		}
		loss := binary.BigEndian.Uint32(b[4:])
		h.Reported = true
		h.Block = Block{
			SSRC: ours, Fraction: uint8(loss >> 24), Lost: int32(loss<<8) >> 8,
			Highest: binary.BigEndian.Uint32(b[8:]), Jitter: binary.BigEndian.Uint32(b[12:]),
			LastSR: binary.BigEndian.Uint32(b[16:]), Delay: binary.BigEndian.Uint32(b[20:]),
		}
	}
}
