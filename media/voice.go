package media

import "time"

// voice is the one SSRC that is heard from a latched source. An address is
// easily forged, so another SSRC must wait until this one has been silent for a
// moment, and show packets in sequence meanwhile; a far end that changes its
// SSRC in earnest (RFC 3550 §8.2) loses no more than that moment.
type voice struct {
	known bool
	ssrc  uint32
	last  time.Duration // when it was heard

	next  uint32 // the SSRC that would take over
	seq   uint16 // its last packet
	count int
}

const (
	voiceProof   = 3
	voiceSilence = 150 * time.Millisecond
	voiceGap     = 3 // sequence numbers that still run on when some were lost
)

// admit: the packet is of the SSRC that is heard, or of the one that now
// follows it.
func (v *voice) admit(ssrc uint32, seq uint16, now time.Duration) bool {
	if v.known && ssrc != v.ssrc && !v.proven(ssrc, seq, now) {
		return false
	}
	v.known, v.ssrc, v.last, v.count = true, ssrc, now, 0
	return true
}

func (v *voice) proven(ssrc uint32, seq uint16, now time.Duration) bool {
	switch ahead := seq - v.seq; {
	case v.count == 0 || ssrc != v.next || ahead > voiceGap:
		v.next, v.count = ssrc, 1
	case ahead == 0:
		return false
	default:
		v.count++
	}
	v.seq = seq
	return v.count >= voiceProof && now-v.last >= voiceSilence
}
