package media

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"b2bua/media/srtp"
)

const (
	headerSize = 12
	maxPacket  = 1500
)

// stream is what we send to one far end: one SSRC, sequence numbers without a
// gap and timestamps that follow the clock, whoever writes it: the clock, or the
// leg that is relayed into it.
type stream struct {
	ssrc uint32
	seq  uint16        // of the last packet
	ts   uint32        // of the last packet
	at   time.Duration // when it was sent

	packets, octets uint64
}

func (o *stream) init() {
	// Random starts, so that they tell nothing (RFC 3550 §5.1); the number in the
	// lower half, so that whoever misses the first packets does not miss that it has
	// wrapped (RFC 3711 §3.3.1).
	o.ssrc, o.seq, o.ts = rand.Uint32(), uint16(rand.Uint32()>>17), rand.Uint32()
}

// resume moves the timestamp on to now after a pause or a change of writer, by
// a frame at least; clock is its rate.
func (o *stream) resume(now time.Duration, clock int) {
	gap := frameTime
	if o.at > 0 && now-o.at > frameTime {
		gap = now - o.at
	}
	o.ts += units(gap, clock)
}

// putHeader writes an RTP header without extension, sources or padding
// (RFC 3550 §5.1).
func putHeader(b []byte, pt uint8, marker bool, seq uint16, ts, ssrc uint32) {
	b[0] = 2 << 6
	b[1] = pt
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	binary.BigEndian.PutUint32(b[8:], ssrc)
}

// sent notes a packet for RTCP and statistics; gone says that it was sent in truth.
func (o *stream) sent(octets int, gone bool, now time.Duration) {
	o.at = now
	if gone {
		o.packets++
		o.octets += uint64(octets)
	}
}

// transmit sends a finished packet to where the far end is, and says whether it did.
func (s *Session) transmit(b []byte) bool {
	if !s.dest.IsValid() || s.dest.Port() == 0 || s.proof.stopped {
		return false
	}
	b, ok := s.seal(b, (*srtp.Sender).RTP)
	if !ok {
		s.count.unsent++
		return false
	}
	if err := s.rtp.Send(b, s.dest); err != nil {
		// An unreachable far end shows as silence, and silence as OnLost.
		s.count.unsent++
		return false
	}
	return true
}
