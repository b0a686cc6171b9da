package media

import (
	"net/netip"
	"time"
)

// Stats is what a session has seen so far.
type Stats struct {
	Codec   string
	Relayed bool // what the far end says goes straight to the bridge peer
	Local   netip.AddrPort
	Remote  netip.AddrPort // where we send

	PacketsReceived uint64
	BytesReceived   uint64 // of payload
	PacketsSent     uint64
	BytesSent       uint64 // of payload
	Unsent          uint64 // packets the system would not send

	Lost       uint64        // never came
	Late       uint64        // came too late to be heard
	Duplicates uint64        // came twice
	Concealed  time.Duration // made up in place of what was lost
	Gaps       uint64        // how often something was lost, in a row
	Encryption string        // the crypto-suite; "": in the clear
	Streams    uint64        // the first one, new SSRCs, and jumps of the sequence
	Refused    uint64        // from strangers: Stranger, OtherStream, StrangeReport, WrongKey
	Invalid    uint64        // not RTP of this session: the other refusals
	Digits     DigitCounts

	Jitter time.Duration // of what arrives
	RTT    time.Duration // by RTCP; 0: not known

	// What the far end reports of our stream.
	RemoteLost   float64 // of the last interval, 0 to 1
	RemoteJitter time.Duration
	Reports      uint64 // RTCP packets received
}

// Stats may be asked at any time, of a closed session too.
func (s *Session) Stats() Stats {
	sh := s.lock()
	defer sh.release()
	return s.stats()
}

func (s *Session) stats() Stats {
	recv := &s.recv
	late, concealed := s.count.late, s.count.concealed
	if p := s.leg.hearing.playout; p != nil {
		late += p.Stats().Late
		concealed += p.Stats().Concealed
	}
	return Stats{
		Codec:           s.Codec(),
		Relayed:         s.route != nil && s.route.relay != nil,
		Local:           netip.AddrPortFrom(s.engine.cfg.Advertise, uint16(s.port)),
		Remote:          s.dest,
		PacketsReceived: s.got.received,
		BytesReceived:   s.got.octets,
		PacketsSent:     s.out.packets,
		BytesSent:       s.out.octets,
		Unsent:          s.count.unsent,
		Lost:            recv.lostBefore + recv.lost(),
		Late:            late,
		Duplicates:      recv.duplicates,
		Concealed:       concealed,
		Streams:         recv.streams,
		Refused:         s.count.refusals.sum(Stranger, OtherStream, StrangeReport, WrongKey),
		Invalid:         s.count.refusals.sum(NotRTP, NotRTCP, UnknownFormat),
		Digits:          s.digits.counts,
		Gaps:            recv.gaps,
		Encryption:      s.encryption(),
		Jitter:          lasting(recv.reported(), recv.clock),
		RTT:             s.report.rtt,
		RemoteLost:      float64(s.report.remoteLost) / 256,
		RemoteJitter:    lasting(s.report.remoteJitter, s.sendClock()),
		Reports:         s.report.received,
	}
}
