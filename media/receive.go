package media

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"
)

// receiver is what the RTP reader owns.
type receiver struct {
	terms *terms // those the latch was set for
	latch latch
	recv  reception
	pt    uint8 // of the last audio packet
}

// readRTP is the RTP reader's goroutine. Errors other than the closing of the
// socket (a refused port shows as one on some systems) end nothing.
func (s *Session) readRTP(c Conn) {
	buf := make([]byte, maxPacket)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			if s.closed.Load() || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrClosed) {
				return
			}
			continue
		}
		s.receive(buf[:n], from, s.engine.now())
	}
}

// receive takes one datagram. It is all there is between a socket and a leg, so
// that another way of reading sockets can take the place of readRTP. It
// allocates nothing for audio.
func (s *Session) receive(raw []byte, from netip.AddrPort, now time.Duration) {
	if isRTCP(raw) {
		s.receiveRTCP(raw, from, now)
		return
	}
	defer s.rescue("rtp")
	if s.fault.broken.Load() {
		return
	}
	t := s.terms.Load()
	p, ok := parsePacket(raw)
	if !ok || t == nil {
		s.count.invalid.Add(1)
		return
	}
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	kind := t.kind[p.pt]
	if t != s.in.terms {
		s.renegotiated(t)
	}
	if !s.admit(p, kind, from, now) {
		return
	}
	if kind == unknownPT {
		// Comfort noise and formats we did not ask for: a sign of life only.
		s.count.invalid.Add(1)
		s.count.lastRTP.Store(int64(now))
		return
	}
	if !s.in.recv.note(p, now, kind != eventKind) {
		return
	}
	s.count.lastRTP.Store(int64(now))
	s.count.received.Add(1)
	s.count.octets.Add(uint64(len(p.payload)))
	if !t.receives {
		return
	}
	s.deliver(p, kind == eventKind, now)
}

// renegotiated notes new terms; the latch stays when the far end is told to be
// where it was.
func (s *Session) renegotiated(t *terms) {
	if old := s.in.terms; old == nil || old.target != t.target {
		s.in.latch.retarget(t.remote)
	}
	s.in.terms = t
}

// admit authenticates the source, address and SSRC. Only packets of a format we know count as
// proof for a source that has yet to be learnt.
func (s *Session) admit(p packet, kind int8, from netip.AddrPort, now time.Duration) bool {
	l := &s.in.latch
	if !l.locked && kind == unknownPT {
		s.count.invalid.Add(1)
		return false
	}
	var trusted netip.Addr
	if a := s.trusted.Load(); a != nil {
		trusted = *a
	}
	ok, moved := l.admit(from, p.ssrc, p.seq, now, trusted)
	if ok && kind != unknownPT {
		ok = l.voice.admit(p.ssrc, p.seq, now)
	}
	if !ok {
		s.count.refused.Add(1)
		return false
	}
	if moved {
		dest := from
		s.dest.Store(&dest)
		s.log.Debug("media source", "source", from, "learnt", l.learnt)
	}
	return true
}

// deliver hands audio and events to where they go now.
func (s *Session) deliver(p packet, event bool, now time.Duration) {
	if !event && p.pt != s.in.pt {
		s.in.pt = p.pt
		s.leg.heardPT.Store(uint32(p.pt))
	}
	s.pass(p, event, now)
	if event {
		s.hearDigit(p, now)
	}
}

func (s *Session) pass(p packet, event bool, now time.Duration) {
	s.relay.Store(true)
	defer s.relay.Store(false)
	r := s.route.Load()
	if r != nil && r.relay != nil {
		r.relay.forward(p, event, now)
	} else if r != nil && !event {
		s.push(r, p, now)
	}
}

// push puts audio into the jitter buffer. The route may have changed while we
// waited for the lock: then the buffer has been emptied into the new one.
func (s *Session) push(r *route, p packet, now time.Duration) {
	if s.pushed(r, p) {
		return
	}
	if r = s.route.Load(); r != nil && r.relay != nil {
		r.relay.forward(p, false, now)
	}
}

func (s *Session) pushed(r *route, p packet) bool {
	s.buffer.mu.Lock()
	defer s.buffer.mu.Unlock()
	if s.route.Load() != r {
		return false
	}
	s.buffer.jb.Push(p.buffered())
	return true
}
