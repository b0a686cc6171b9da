package media

import (
	"time"

	"b2bua/media/quality"
)

// MissedRatio is the part of the far end's packets that was not heard, 0 to 1: those
// that never came, and those that came too late.
func (s Stats) MissedRatio() float64 {
	missed := s.Lost + s.Late
	if all := s.PacketsReceived + s.Lost; all > 0 {
		return min(float64(missed)/float64(all), 1)
	}
	return 0
}

// MOS estimates what a listener would say of what the far end sent, 1 to 4.5
// (ITU-T G.107); 0 when nothing came. Mouth to ear is half the way there and back,
// the packet, and a jitter buffer of two packets and twice the jitter.
func (s Stats) MOS() float64 {
	if s.PacketsReceived == 0 {
		return 0
	}
	return quality.Conditions{
		Codec: s.Codec, Concealed: true,
		Delay: s.RTT/2 + 3*frameTime + 2*min(s.Jitter, time.Second),
		Loss:  s.MissedRatio(), Burst: s.BurstRatio(),
	}.MOS()
}

// BurstRatio is how much longer the losses were in a row than they would be by
// chance (G.107 §7.1.3).
func (s Stats) BurstRatio() float64 {
	if s.Gaps == 0 {
		return 1
	}
	return max(float64(s.Lost)/float64(s.Gaps)*(1-s.MissedRatio()), 1)
}
