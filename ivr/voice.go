package ivr

import (
	"math"
	"sync/atomic"
	"time"

	"b2bua/media"
)

// The voice detector works on the energy of 20 ms frames. A frame is speech
// when it is loud in itself and clearly above the noise of the line.
const (
	frameTime = 20 * time.Millisecond

	speechFloor = -45.0 // dBov: quieter is never speech
	aboveNoise  = 10.0  // dB
	noiseStart  = -55.0 // dBov: assumed until the line tells
	noiseMost   = -35.0 // dBov: louder is never taken for noise
	noiseRise   = 0.1   // dB a frame: 5 dB a second
	noiseFall   = 0.5   // share of the way down, a frame

	// hangover bridges the gaps between words, which belong to the speech.
	hangover = 200 * time.Millisecond
)

// detector listens to the caller: how much was said, and for how long nothing.
// Frame runs on the media clock; the rest may be read from elsewhere.
type detector struct {
	noise  float64
	hold   time.Duration
	speech atomic.Int64 // nanoseconds spoken
	silent atomic.Int64 // nanoseconds since the last word
}

func newDetector() *detector { return &detector{noise: noiseStart} }

// Frame measures one frame of the caller's.
func (v *detector) Frame(f media.TapFrame) {
	if f.Dir != media.In {
		return
	}
	if v.voiced(energy(f.PCM)) {
		v.hold = hangover
		v.silent.Store(0)
	} else {
		v.hold = max(0, v.hold-frameTime)
		v.silent.Add(int64(frameTime))
	}
	if v.hold > 0 {
		v.speech.Add(int64(frameTime))
	}
}

// voiced follows the noise down at once and up slowly, so that words are not
// taken for noise, and decides against it.
func (v *detector) voiced(level float64) bool {
	if level < v.noise {
		v.noise += (level - v.noise) * noiseFall
	} else {
		v.noise = min(v.noise+noiseRise, noiseMost)
	}
	v.noise = max(v.noise, -80)
	return level > speechFloor && level > v.noise+aboveNoise
}

// spoken is how much speech was heard.
func (v *detector) spoken() time.Duration { return time.Duration(v.speech.Load()) }

// quiet is how long nothing was said.
func (v *detector) quiet() time.Duration { return time.Duration(v.silent.Load()) }

// energy is the level of samples in dBov.
func energy(pcm []int16) float64 {
	var sum float64
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	if sum == 0 {
		return -100
	}
	return 10 * math.Log10(sum/float64(len(pcm))/(math.MaxInt16*math.MaxInt16/2.0))
}
