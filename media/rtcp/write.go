package rtcp

import "encoding/binary"

// Source is whom packets of ours are from.
type Source struct {
	SSRC uint32
	// CNAME is at most 255 octets long and names no host (RFC 7022 §4.2).
	CNAME string
}

// AppendReport appends a compound: a sender report, or a receiver report while
// sent is nil, with what is known about the far end's stream, if anything is, and
// the name (RFC 3550 §6.1).
func (s Source) AppendReport(b []byte, sent *Sent, heard *Block) []byte {
	count, words := byte(0), 1
	if heard != nil {
		count, words = 1, words+blockLen/4
	}
	kind := byte(receiverReport)
	if sent != nil {
		kind, words = senderReport, words+5
	}
	b = append(b, version|count, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(words))
	b = binary.BigEndian.AppendUint32(b, s.SSRC)
	if sent != nil {
		b = binary.BigEndian.AppendUint64(b, sent.NTP)
		b = binary.BigEndian.AppendUint32(b, sent.Time)
		b = binary.BigEndian.AppendUint32(b, sent.Packets)
		b = binary.BigEndian.AppendUint32(b, sent.Octets)
	}
	if heard != nil {
		b = heard.append(b)
	}
	return s.appendName(b)
}

// AppendBye appends the goodbye, which comes last in a compound (RFC 3550 §6.6).
func (s Source) AppendBye(b []byte) []byte {
	b = append(b, version|1, goodbye, 0, 1)
	return binary.BigEndian.AppendUint32(b, s.SSRC)
}

func (h Block) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, h.SSRC)
	lost := uint32(min(max(h.Lost, -1<<23), 1<<23-1)) & 0xffffff
	b = binary.BigEndian.AppendUint32(b, uint32(h.Fraction)<<24|lost)
	b = binary.BigEndian.AppendUint32(b, h.Highest)
	b = binary.BigEndian.AppendUint32(b, h.Jitter)
	b = binary.BigEndian.AppendUint32(b, h.LastSR)
	return binary.BigEndian.AppendUint32(b, h.Delay)
}

// appendName appends a source description; its items end with a zero, and it ends
// at a word (RFC 3550 §6.5).
func (s Source) appendName(b []byte) []byte {
	name := s.CNAME[:min(len(s.CNAME), 255)]
	size := 4 + 2 + len(name) + 1
	size += -size & 3
	b = append(b, version|1, sourceDescription)
	b = binary.BigEndian.AppendUint16(b, uint16(size/4))
	end := len(b) + size
	b = binary.BigEndian.AppendUint32(b, s.SSRC)
	b = append(b, cname, byte(len(name)))
	b = append(b, name...)
	for len(b) < end {
		b = append(b, 0)
	}
	return b
}
