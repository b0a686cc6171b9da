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
	Streams    uint64        // the first one, new SSRCs, and jumps of the sequence
	Refused    uint64        // from strangers
	Invalid    uint64        // not RTP of this session
	Digits     uint64

	Jitter time.Duration // of what arrives
	RTT    time.Duration // by RTCP; 0: not known

	// What the far end reports of our stream.
	RemoteLost   float64 // of the last interval, 0 to 1
	RemoteJitter time.Duration
	Reports      uint64 // RTCP packets received
}

// Stats may be asked at any time, of a closed session too.
func (s *Session) Stats() Stats {
	st := Stats{
		Codec:           s.Codec(),
		Local:           netip.AddrPortFrom(s.engine.cfg.Advertise, uint16(s.port)),
		PacketsReceived: s.count.received.Load(),
		BytesReceived:   s.count.octets.Load(),
		PacketsSent:     s.out.packets.Load(),
		BytesSent:       s.out.octets.Load(),
		Unsent:          s.count.unsent.Load(),
		Lost:            s.in.recv.lostBefore.Load() + s.in.recv.lost(),
		Duplicates:      s.in.recv.duplicates.Load(),
		Concealed:       duration(uint32(s.count.concealed.Load())),
		Streams:         s.in.recv.streams.Load(),
		Refused:         s.count.refused.Load(),
		Invalid:         s.count.invalid.Load(),
		Digits:          s.count.digits.Load(),
		Jitter:          duration(s.in.recv.reported.Load()),
		RTT:             time.Duration(s.report.rtt.Load()),
		RemoteLost:      float64(s.report.remoteLost.Load()) / 256,
		RemoteJitter:    duration(s.report.remoteJitter.Load()),
		Reports:         s.report.received.Load(),
	}
	if d := s.dest.Load(); d != nil {
		st.Remote = *d
	}
	if r := s.route.Load(); r != nil {
		st.Relayed = r.relay != nil
	}
	s.buffer.mu.Lock()
	st.Late = s.buffer.jb.Stats().Late
	s.buffer.mu.Unlock()
	return st
}

// duration is the time of samples.
func duration(n uint32) time.Duration {
	return time.Duration(n) * time.Second / sampleRate
}
