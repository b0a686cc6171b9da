package media

import (
	"encoding/binary"
	"net/netip"
	"time"

	"b2bua/media/port"
	"b2bua/media/sdp"
)

// lane is what every packet of a leg touches, together and apart from the rest of
// the leg: with a thousand calls nothing of a leg is in the processor's caches when
// its next packet comes, and each further line of memory that has to be fetched
// costs as much as all the work that is done on it. It is the shard's, whose lock
// guards it.
type lane struct {
	// These are looked at with each packet that comes.
	ahead  *lane         // whose stream the packets become; nil: they go the long way
	asleep time.Duration // the clock passes the leg over until then
	dest   netip.AddrPort
	short  short

	recv reception
	got  counters

	// And these with each that goes.
	rtp     port.Socket
	out     stream
	session *Session
	route   *route // where arriving audio goes
}

// counters are what came and was let in.
type counters struct {
	lastRTP          time.Duration // engine time of the last; 0: never
	received, octets uint64
}

// short is what a relay does to packets while nothing about it changes, worked out.
type short struct {
	ssrc    uint32 // of the packets that it is good for
	ts      uint32 // what to add to timestamps
	seq     uint16 // and to sequence numbers
	pt, out uint8  // theirs and ours
	clock   int32  // hertz
}

// shorten lets packets take the short way to the bridge peer while the leg is
// asleep, when it is relayed and there is nothing to decide about them: their source
// has been found to be where our own go, and neither leg is encrypted.
func (s *Session) shorten(p *Session) {
	r, pt := s.route.relay, s.in.pt
	kind, out := s.leg.terms.kind[pt], r.pt[pt]
	switch l := &s.in.latch; {
	case !l.locked() || l.source != s.dest || !s.proof.proven || l.voice.ssrc != r.ssrc || s.recv.ssrc != r.ssrc:
	case s.secrecy != nil || p.secrecy != nil || p.proof.stopped || !p.dest.IsValid() || p.dest.Port() == 0:
	case !r.started || out == sdp.NoPT || kind < 0 || kind >= noiseKind || looksLikeRTCP(pt):
	default:
		s.short = short{ssrc: r.ssrc, ts: r.ts, seq: r.seq, pt: pt, out: uint8(out), clock: int32(s.leg.terms.clock(kind))}
		s.ahead = p.lane
	}
}

// through takes a packet the short way: the next one of the stream that goes on is
// the next one of the bridge peer's, with a few numbers changed. It is false for a
// packet that is anything else.
func (l *lane) through(raw []byte, from netip.AddrPort, now time.Duration) bool {
	to, w := l.ahead, &l.short
	if to == nil || len(raw) <= headerSize || raw[0] != 2<<6 || raw[1]&0x7f != w.pt || from != l.dest {
		return false
	}
	seq, ts := binary.BigEndian.Uint16(raw[2:]), binary.BigEndian.Uint32(raw[4:])
	out := &to.out
	if binary.BigEndian.Uint32(raw[8:]) != w.ssrc || int16(seq+w.seq-out.seq) <= 0 || !l.recv.next(seq) {
		return false
	}
	l.recv.timing(ts, now, int(w.clock))
	octets := len(raw) - headerSize
	l.got.lastRTP = now
	l.got.received++
	l.got.octets += uint64(octets)

	out.seq = seq + w.seq
	if ts += w.ts; int32(ts-out.ts) > 0 {
		out.ts = ts
	}
	putHeader(raw, w.out, raw[1]&0x80 != 0, out.seq, ts, out.ssrc)
	err := to.rtp.Send(raw, to.dest)
	if err != nil {
		to.session.count.unsent++
	}
	out.sent(octets, err == nil, now)
	return true
}
