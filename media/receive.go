package media

import (
	"net/netip"
	"time"

	"b2bua/media/jitter"
	"b2bua/media/srtp"
)

// receiver is what is known of the stream that arrives.
type receiver struct {
	pt    uint8 // of the last audio packet
	latch latch
	pause pause
}

// pause is the comfort noise that came last: a far end that sends nothing in pauses
// may say only once what they sound like (RFC 3389 §4).
type pause struct {
	at      time.Duration
	packet  jitter.Packet
	payload [32]byte
}

func (n *pause) keep(p packet, now time.Duration) {
	n.at, n.packet = now, p.buffered()
	n.packet.Payload = n.payload[:copy(n.payload[:], p.payload)]
}

// receive takes one datagram of the RTP port. It is all there is between a
// socket and a leg, however the socket is read. The shard's lock is held; raw is
// written over. It allocates nothing for audio.
func (s *Session) receive(raw []byte, from netip.AddrPort, now time.Duration) {
	if isRTCP(raw) {
		s.receiveRTCP(raw, from, now)
		return
	}
	defer s.rescue("rtp")
	if s.leg.gone {
		return
	}
	raw, ok := s.unseal(raw, (*srtp.Receiver).RTP) // before anything is believed of it
	if !ok {
		return
	}
	t := s.leg.terms
	p, ok := parsePacket(raw)
	if !ok || t == nil {
		s.refuse(NotRTP)
		return
	}
	kind := t.kind[p.pt]
	if !s.admit(p, kind, from, now) {
		return
	}
	if kind == unknownPT {
		// Formats we did not ask for: a sign of life only.
		s.refuse(UnknownFormat)
		s.count.sign = now
		return
	}
	if !s.recv.note(p, now, t.clock(kind)) {
		return
	}
	s.got.lastRTP = now
	s.got.received++
	s.got.octets += uint64(len(p.payload))
	if !t.receives {
		return
	}
	s.deliver(p, kind, now)
}

// admit authenticates the source, address and SSRC. Only packets of a format we
// know count as proof for a source that has yet to be learnt.
func (s *Session) admit(p packet, kind int8, from netip.AddrPort, now time.Duration) bool {
	l := &s.in.latch
	if !l.locked() && kind == unknownPT {
		s.refuse(UnknownFormat)
		return false
	}
	if from != l.source && s.engine.own.has(from) {
		s.refuse(Stranger)
		return false
	}
	ok, moved := l.admit(from, p.ssrc, p.seq, now, s.proven(from))
	if !ok {
		s.refuse(Stranger)
		return false
	}
	if kind != unknownPT && !l.voice.admit(p.ssrc, p.seq, now) {
		s.refuse(OtherStream)
		return false
	}
	if moved {
		s.wake()
		s.aim(from)
		learnt := l.learnt()
		s.shard.Load().later(s, "log", func() { s.log.Debug("media source", "source", from, "learnt", learnt) })
	}
	if kind != unknownPT {
		s.proof.returns()
	}
	return true
}

// aim sends to a source from now on. Where nobody else can take its place the
// system need not even tell us of others.
func (s *Session) aim(from netip.AddrPort) {
	s.dest = from
	only := netip.AddrPort{}
	if s.in.latch.final() {
		only = from
	}
	if err := s.rtp.Connect(only); err != nil {
		s.shard.Load().later(s, "log", func() { s.log.Debug("media port not connected", "source", from, "err", err) })
	}
}

// deliver hands audio and events to where they go now.
func (s *Session) deliver(p packet, kind int8, now time.Duration) {
	event := kind == eventKind
	if kind == noiseKind {
		s.in.pause.keep(p, now)
	}
	if !event && kind != noiseKind && s.in.pt != p.pt {
		s.in.pt = p.pt
		s.wake()
	}
	if !event || !s.digits.blocks(p, now) {
		s.pass(p, event, now)
	}
	if event {
		s.wake()
		s.hearDigit(p, now)
	}
}

func (s *Session) pass(p packet, event bool, now time.Duration) {
	if r := s.route; r != nil && r.relay != nil && r.relay.outdated() {
		// Renegotiated a moment ago: nothing is lost until the next tick.
		s.direct(now)
	}
	switch r := s.route; {
	case r == nil:
	case r.relay != nil:
		r.relay.forward(p, event, now)
		if s.leg.hearing.along > 0 {
			s.collect(p, event, now)
		}
	default:
		s.collect(p, event, now)
	}
}

// collect keeps a packet for the frames that are made.
func (s *Session) collect(p packet, event bool, now time.Duration) {
	if event {
		s.leg.playing().Other()
		return
	}
	s.leg.hearing.taken++
	s.leg.playing().Push(s.leg.terms, p.buffered(), now)
}
