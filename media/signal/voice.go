package signal

import "time"

const (
	voiceLeast = -46.0 // dBm0: what is quieter is never a voice
	voiceAbove = 9.0   // dB above the noise of the line
	noiseFirst = -52.0 // dBm0: assumed until the line tells
	noiseMost  = -34.0 // dBm0: what is louder is never taken for noise

	// hangOver bridges the gaps between words, which belong to the speech.
	hangOver = 180 * time.Millisecond

	// The noise is the least of so many spans: sixteen times 100 ms.
	noiseSpans = 16
	spanHops   = 10
)

// voice decides every hop whether somebody speaks. The noise of the line is
// what the level never falls below within a second and a half: speech has
// pauses by then, a fan has not.
type voice struct {
	mean  float64 // power, over about 30 ms; 15 when it falls
	span  float64 // least mean of the span that runs
	least [noiseSpans]float64
	hops  int
	hold  time.Duration
	loud  bool // this hop itself
}

// hop takes the power of 10 ms, and tells whether it belongs to speech.
func (v *voice) hop(p float64) bool {
	if v.hops == 0 {
		v.mean, v.span = p, p
		for i := range v.least {
			v.least[i] = power(noiseFirst)
		}
	}
	if p > v.mean {
		v.mean += (p - v.mean) * 0.35
	} else {
		v.mean += (p - v.mean) * 0.6
	}
	v.span = min(v.span, v.mean)
	v.hops++
	if v.hops%spanHops == 0 {
		v.least[v.hops/spanHops%noiseSpans] = v.span
		if v.hops < noiseSpans*spanHops { // nothing older is known
			for i := v.hops/spanHops + 1; i <= noiseSpans; i++ {
				v.least[i%noiseSpans] = v.span
			}
		}
		v.span = v.mean
	}
	v.loud = v.mean > voicePower && v.mean > v.noise()*aboveFactor
	if v.loud {
		v.hold = hangOver
	} else {
		v.hold = max(0, v.hold-hopTime)
	}
	return v.hold > 0
}

var (
	voicePower  = power(voiceLeast)
	mostPower   = power(noiseMost)
	aboveFactor = power(voiceAbove) / power(0)
)

// noise is the power of what is always there.
func (v *voice) noise() float64 {
	least := v.least[0]
	for _, l := range v.least[1:] {
		least = min(least, l)
	}
	return min(least, mostPower)
}
