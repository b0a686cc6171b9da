package media

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"b2bua/media/port"
	"b2bua/media/rtcp"
	"b2bua/media/srtp"
)

// report is the RTCP of a session.
type report struct {
	source rtcp.Source
	due    time.Duration
	// expected and got of the last report, for the loss since (RFC 3550 A.3).
	expected, got uint32

	lastSR       uint32 // middle of the far end's last NTP time
	lastSRAt     time.Duration
	rtt          time.Duration
	remoteLost   uint8
	remoteJitter uint32
	received     uint64
	from         netip.AddrPort // where RTCP comes from
	heardAt      time.Duration  // when it came from there last
}

// reporterSilence is for how long nothing comes from where reports came from before
// another port of the same host is believed: a NAT has given it a new one.
const reporterSilence = 4 * rtcpMost

// rtcpMost is the longest time between two reports (RFC 3550 §6.2, §6.3.1).
const rtcpMost = 7500 * time.Millisecond

// admits reports whether RTCP from there is the far end's, whose host it is: from the
// port that was agreed on, or, until that has shown itself, from the first one heard,
// as NATs give another. Any program of a shared host could report otherwise.
func (r *report) admits(from, told netip.AddrPort, now time.Duration) bool {
	ok := from == r.from || from == told || r.from.Addr() != from.Addr() || now-r.heardAt >= reporterSilence
	if ok {
		r.from, r.heardAt = from, now
	}
	return ok
}

// reportsFrom is where the far end's RTCP should come from.
func (s *Session) reportsFrom() netip.AddrPort {
	switch t := s.leg.terms; {
	case t == nil:
	case t.mux:
		return s.dest
	case s.dest == t.remote && t.remoteRTCP.IsValid():
		return t.remoteRTCP
	case s.dest.Port() < 65535:
		return netip.AddrPortFrom(s.dest.Addr(), s.dest.Port()+1)
	}
	return netip.AddrPort{}
}

func (r *report) init(id uint64, ssrc uint32, now time.Duration) {
	// A name that tells nothing, no host above all, and stays the same
	// (RFC 7022 §4.2).
	r.source = rtcp.Source{SSRC: ssrc, CNAME: fmt.Sprintf("%d-%08x", id, rand.Uint32())}
	r.due = now + rtcp.Interval(true, rand.Float64())
}

// receiveRTCP takes reports from the host RTP goes to, and from nobody else. A
// BYE is not more than a report: a call ends by signalling, or anybody who can
// forge a packet could end it. The shard's lock is held.
func (s *Session) receiveRTCP(raw []byte, from netip.AddrPort, now time.Duration) {
	defer s.rescue("rtcp")
	if s.leg.gone {
		return
	}
	if !s.dest.IsValid() || s.dest.Addr() != from.Addr() {
		s.refuse(StrangeReport)
		return
	}
	raw, ok := s.unseal(raw, (*srtp.Receiver).RTCP)
	if !ok {
		return
	}
	h, err := rtcp.Read(raw, s.out.ssrc)
	if err != nil {
		s.refuse(NotRTCP)
		return
	}
	r := &s.report
	if s.secrecy == nil && !r.admits(from, s.reportsFrom(), now) {
		s.refuse(StrangeReport)
		return
	}
	r.received++
	r.from = from
	if h.Sender {
		r.lastSR, r.lastSRAt = uint32(h.Sent.NTP>>16), now
	}
	if !h.Reported {
		return
	}
	r.remoteLost, r.remoteJitter = h.Block.Fraction, h.Block.Jitter
	if d, ok := h.Block.RoundTrip(rtcp.NTP(time.Now())); ok {
		r.rtt = d
	}
}

// reportDue sends a report when it is time.
func (s *Session) reportDue(now time.Duration) {
	if now < s.report.due {
		return
	}
	s.report.due = now + rtcp.Interval(false, rand.Float64())
	if t := s.leg.terms; t != nil && t.remote.Port() != 0 && !s.proof.stopped {
		s.sendRTCP(s.compound(now))
	}
}

// compound makes SR or RR and SDES (RFC 3550 §6.1), in the shard's scratch.
func (s *Session) compound(now time.Duration) []byte {
	var sent *rtcp.Sent
	if s.out.packets > 0 {
		sent = &rtcp.Sent{
			NTP: rtcp.NTP(time.Now()), Time: s.out.ts + units(max(now-s.out.at, 0), s.leg.terms.sendClock()),
			Packets: uint32(s.out.packets), Octets: uint32(s.out.octets),
		}
	}
	return s.report.source.AppendReport(s.shard.Load().packet[:0], sent, s.reception(now))
}

// sendClock is the clock rate of our stream.
func (s *Session) sendClock() int {
	if s.leg.terms == nil {
		return 0
	}
	return s.leg.terms.sendClock()
}

// reception is the report block about the far end's stream, if there is one.
func (s *Session) reception(now time.Duration) *rtcp.Block {
	r, in := &s.report, &s.recv
	got := in.fresh
	if got == 0 {
		return nil
	}
	expected := in.highest - in.base + 1
	b := &rtcp.Block{
		SSRC: in.ssrc, Highest: in.highest,
		Lost: int32(min(in.lost(), 1<<23-1)), Jitter: in.reported(),
	}
	if expected > r.expected && got >= r.got {
		due := expected - r.expected
		if came := got - r.got; came < due {
			b.Fraction = uint8(min(uint64(due-came)<<8/uint64(due), 255))
		}
	}
	r.expected, r.got = expected, got
	if at := r.lastSRAt; at > 0 {
		b.LastSR = r.lastSR
		b.Delay = uint32(uint64(now-at) << 16 / uint64(time.Second))
	}
	return b
}

// sayBye tells the far end that our stream is over (RFC 3550 §6.6).
func (s *Session) sayBye() {
	if s.out.packets == 0 || s.leg.terms == nil {
		return
	}
	s.sendRTCP(s.report.source.AppendBye(s.compound(s.engine.now())))
}

func (s *Session) sendRTCP(raw []byte) {
	to, by, ok := s.rtcpDest()
	if !ok {
		return
	}
	if raw, ok = s.seal(raw, (*srtp.Sender).RTCP); !ok {
		s.count.unsent++
		return
	}
	if err := by.Send(raw, to); err != nil {
		s.count.unsent++
	}
}

// rtcpDest is where reports go, and by which socket: with RTP when that was agreed
// (RFC 5761 §5.1), else back to where they come from, else to the port told, else to
// the one above a learnt RTP port.
func (s *Session) rtcpDest() (to netip.AddrPort, by port.Socket, ok bool) {
	dest, t := s.dest, s.leg.terms
	if t == nil || !dest.IsValid() || dest.Port() == 0 {
		return netip.AddrPort{}, nil, false
	}
	if t.mux {
		return dest, s.rtp, true
	}
	if src := s.report.from; src.IsValid() && src.Addr() == dest.Addr() {
		return src, s.rtcp, true
	}
	to = s.reportsFrom()
	return to, s.rtcp, to.IsValid()
}
