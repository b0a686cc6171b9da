package media

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/pion/rtcp"
)

// reportEvery is the mean interval of our reports, spread by half to either
// side (RFC 3550 §6.3.1), so that all calls do not report at once.
const reportEvery = 5 * time.Second

// report is the RTCP of a session.
type report struct {
	cname string
	due   time.Duration
	// expected and got of the last report, for the loss since (RFC 3550 A.3).
	expected, got uint32

	lastSR       uint32 // middle of the far end's last NTP time
	lastSRAt     time.Duration
	rtt          time.Duration
	remoteLost   uint8
	remoteJitter uint32
	received     uint64
	source       netip.AddrPort // where RTCP comes from
}

func (r *report) init(id uint64, now time.Duration) {
	// A name that tells nothing and stays the same (RFC 7022 §4.2).
	r.cname = fmt.Sprintf("%d-%08x", id, rand.Uint32())
	r.schedule(now)
}

func (r *report) schedule(now time.Duration) {
	r.due = now + reportEvery/2 + rand.N(reportEvery)
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
	packets, err := rtcp.Unmarshal(raw)
	if err != nil {
		s.refuse(NotRTCP)
		return
	}
	s.report.received++
	s.proof.returns()
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			s.report.lastSR = uint32(p.NTPTime >> 16)
			s.report.lastSRAt = now
			s.readReports(p.Reports)
		case *rtcp.ReceiverReport:
			s.readReports(p.Reports)
		}
	}
	s.report.source = from
}

func (s *Session) readReports(blocks []rtcp.ReceptionReport) {
	for _, b := range blocks {
		if b.SSRC != s.out.ssrc {
			continue
		}
		s.report.remoteLost = b.FractionLost
		s.report.remoteJitter = b.Jitter
		if b.LastSenderReport == 0 {
			continue
		}
		// In 1/65536 s, modulo 2^32 (RFC 3550 §6.4.1).
		rtt := ntp(time.Now())>>16&0xffffffff - uint64(b.LastSenderReport) - uint64(b.Delay)
		if rtt &= 0xffffffff; rtt < 1<<22 {
			s.report.rtt = time.Duration(rtt * uint64(time.Second) >> 16)
		}
	}
}

// reportDue sends a report when it is time.
func (s *Session) reportDue(now time.Duration) {
	if now < s.report.due {
		return
	}
	s.report.schedule(now)
	if t := s.leg.terms; t != nil && t.remote.Port() != 0 && !s.proof.stopped {
		s.sendRTCP(s.compound(now))
	}
}

// compound makes SR or RR and SDES (RFC 3550 §6.1).
func (s *Session) compound(now time.Duration) []rtcp.Packet {
	blocks := s.reception(now)
	sdes := &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
		Source: s.out.ssrc,
		Items:  []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: s.report.cname}},
	}}}
	if s.out.packets == 0 {
		return []rtcp.Packet{&rtcp.ReceiverReport{SSRC: s.out.ssrc, Reports: blocks}, sdes}
	}
	return []rtcp.Packet{&rtcp.SenderReport{
		SSRC: s.out.ssrc, NTPTime: ntp(time.Now()),
		RTPTime:     s.out.ts + samples(max(now-s.out.at, 0)),
		PacketCount: uint32(s.out.packets), OctetCount: uint32(s.out.octets),
		Reports: blocks,
	}, sdes}
}

// reception is the report block about the far end's stream, if there is one.
func (s *Session) reception(now time.Duration) []rtcp.ReceptionReport {
	r, in := &s.report, &s.in.recv
	got := in.fresh
	if got == 0 {
		return nil
	}
	expected := in.highest - in.base + 1
	b := rtcp.ReceptionReport{
		SSRC: in.ssrc, LastSequenceNumber: in.highest,
		TotalLost: uint32(min(in.lost(), 1<<23-1)), Jitter: in.reported(),
	}
	if expected > r.expected && got >= r.got {
		due := expected - r.expected
		if came := got - r.got; came < due {
			b.FractionLost = uint8(min(uint64(due-came)<<8/uint64(due), 255))
		}
	}
	r.expected, r.got = expected, got
	if at := r.lastSRAt; at > 0 {
		b.LastSenderReport = r.lastSR
		b.Delay = uint32(uint64(now-at) << 16 / uint64(time.Second))
	}
	return []rtcp.ReceptionReport{b}
}

// sayBye tells the far end that our stream is over (RFC 3550 §6.6).
func (s *Session) sayBye() {
	if s.out.packets == 0 {
		return
	}
	packets := s.compound(s.engine.now())
	s.sendRTCP(append(packets, &rtcp.Goodbye{Sources: []uint32{s.out.ssrc}}))
}

func (s *Session) sendRTCP(packets []rtcp.Packet) {
	to, ok := s.rtcpDest()
	if !ok {
		return
	}
	raw, err := rtcp.Marshal(packets)
	if err != nil {
		s.log.Error("rtcp not written", "err", err)
		return
	}
	if err := s.rtcp.Send(raw, to); err != nil {
		s.count.unsent++
	}
}

// rtcpDest is where reports go: back to where they come from, else to the port
// told, else to the one above a learnt RTP port.
func (s *Session) rtcpDest() (netip.AddrPort, bool) {
	dest, t := s.dest, s.leg.terms
	if t == nil || !dest.IsValid() || dest.Port() == 0 {
		return netip.AddrPort{}, false
	}
	if src := s.report.source; src.IsValid() && src.Addr() == dest.Addr() {
		return src, true
	}
	if dest == t.remote && t.remoteRTCP.IsValid() {
		return t.remoteRTCP, true
	}
	if dest.Port() == 65535 {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(dest.Addr(), dest.Port()+1), true
}

// ntp is a wall-clock time in NTP's 32.32 seconds since 1900.
func ntp(t time.Time) uint64 {
	const since1900 = 2208988800
	return uint64(t.Unix()+since1900)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}
