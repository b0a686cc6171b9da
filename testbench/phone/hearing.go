package phone

import (
	"encoding/binary"
	"net/netip"
	"time"

	"b2bua/media/codec"
)

type rtp struct {
	kind      byte
	marker    bool
	sequence  uint16
	timestamp uint32
	ssrc      uint32
	payload   []byte
}

func parseRTP(b []byte) (p rtp, ok bool) {
	if len(b) < 12 || b[0]>>6 != 2 {
		return p, false
	}
	p = rtp{
		kind: b[1] & 0x7f, marker: b[1]&0x80 != 0, sequence: binary.BigEndian.Uint16(b[2:]),
		timestamp: binary.BigEndian.Uint32(b[4:]), ssrc: binary.BigEndian.Uint32(b[8:]),
	}
	padded, extended := b[0]&0x20 != 0, b[0]&0x10 != 0
	b0 := b[0]
	b = b[12:]
	if n := 4 * int(b0&0x0f); len(b) >= n {
		b = b[n:]
	} else {
		return p, false
	}
	if extended {
		if len(b) < 4 {
			return p, false
		}
		n := 4 + 4*int(binary.BigEndian.Uint16(b[2:]))
		if len(b) < n {
			return p, false
		}
		b = b[n:]
	}
	if padded {
		if len(b) == 0 || int(b[len(b)-1]) > len(b) {
			return p, false
		}
		b = b[:len(b)-int(b[len(b)-1])]
	}
	p.payload = b
	return p, true
}

// Digit is a keypad digit that was heard as an RFC 4733 event.
type Digit struct {
	Symbol   byte // 0-9 * # A-D
	Duration time.Duration
	At       time.Duration // from the first packet heard
	Ended    bool          // a packet with the end bit arrived
}

// Stats are about the packets of a call.
type Stats struct {
	Sent, Received int
	Lost           int // gaps in the sequence numbers, less what came late
	SSRCs          int // sources heard, in turn
	From           netip.AddrPort
	First          time.Time // arrival of the first packet
	Last           time.Time
	Unknown        int // packets of a payload type that was not agreed
	Forged         int // packets that the key does not fit
}

const (
	symbols  = "0123456789*#ABCD"
	maxHeard = 10 * 60 * rate // samples kept
	// A timestamp that is so far from the clock begins a new time line.
	maxSkew = 2 * rate
)

// hearing lays what arrives on one time line, by RTP timestamps. A new source,
// or a jump of the timestamps, is laid where the clock says it belongs.
type hearing struct {
	types map[byte]codec.Codec
	event int

	pcm    []int16
	stats  Stats
	ssrc   uint32
	base   uint32 // timestamp at origin
	origin int    // sample index
	top    uint16 // highest sequence number
	digits []Digit
	digit  uint32 // timestamp of the last digit
}

func (h *hearing) take(p rtp, from netip.AddrPort, now time.Time) {
	s := &h.stats
	if s.Received == 0 {
		s.First = now
	}
	s.Received++
	s.From, s.Last = from, now
	clock := int(now.Sub(s.First) * rate / time.Second)
	switch {
	case s.SSRCs == 0 || p.ssrc != h.ssrc:
		s.SSRCs++
		h.ssrc, h.base, h.origin, h.top = p.ssrc, p.timestamp, clock, p.sequence
	case int16(p.sequence-h.top) > 0:
		s.Lost += int(p.sequence-h.top) - 1
		h.top = p.sequence
	case p.sequence != h.top:
		s.Lost = max(s.Lost-1, 0)
	}
	at := h.origin + int(int32(p.timestamp-h.base))
	if at < clock-maxSkew || at > clock+maxSkew {
		h.base, h.origin = p.timestamp, clock
		at = clock
	}
	if h.event >= 0 && int(p.kind) == h.event {
		h.key(p, at)
		return
	}
	c, ok := h.types[p.kind]
	if !ok {
		s.Unknown++
		return
	}
	var pcm [2048]int16
	h.lay(at, pcm[:c.Decode(pcm[:], p.payload)])
}

func (h *hearing) lay(at int, pcm []int16) {
	if at < 0 || at+len(pcm) > maxHeard {
		return
	}
	if need := at + len(pcm) - len(h.pcm); need > 0 {
		h.pcm = append(h.pcm, make([]int16, need)...)
	}
	copy(h.pcm[at:], pcm)
}

func (h *hearing) key(p rtp, at int) {
	if len(p.payload) < 4 || int(p.payload[0]) >= len(symbols) {
		return
	}
	length := time.Duration(binary.BigEndian.Uint16(p.payload[2:])) * time.Second / rate
	end := p.payload[1]&0x80 != 0
	if n := len(h.digits); n > 0 && h.digit == p.timestamp {
		d := &h.digits[n-1]
		d.Duration, d.Ended = max(d.Duration, length), d.Ended || end
		return
	}
	h.digit = p.timestamp
	h.digits = append(h.digits, Digit{
		Symbol: symbols[p.payload[0]], Duration: length, Ended: end, At: time.Duration(max(at, 0)) * time.Second / rate,
	})
}
