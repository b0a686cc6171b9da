package media

import (
	"time"

	"b2bua/media/audio"
	"b2bua/media/tone"
)

// ClipSource plays a clip, once or for ever; where it begins again, its end fades
// into the beginning. A clip that has neither 8 nor 16 kHz is converted here, so
// prompts are best kept at one of them.
func ClipSource(clip audio.Clip, loop bool) Source {
	rate := sampleRate
	if clip.Rate > sampleRate {
		rate *= 2
	}
	return &clipSource{rate: rate, samples: clip.Resample(rate).Samples, loop: loop}
}

type clipSource struct {
	rate    int
	samples []int16
	at      int
	loop    bool
	rough   bool // its beginning does not go on from its end, which was played
}

// jumps: the beginning does not go on where the end leaves off.
func (c *clipSource) jumps() bool {
	last := c.samples[max(0, len(c.samples)-2):]
	slope := int(last[len(last)-1]) - int(last[0])
	d := int(c.samples[0]) - int(last[len(last)-1]) - slope
	return d > 1000 || d < -1000
}

// seam lets the last sample fade away over the beginning, 5 ms.
func (c *clipSource) seam(dst []int16) {
	last := int(c.samples[len(c.samples)-1])
	for i := range dst {
		if at := c.at + i; at < declick {
			dst[i] = int16((last*(declick-at) + int(dst[i])*at) / declick)
		}
	}
}

// Rate is that of the samples.
func (c *clipSource) Rate() int { return c.rate }

func (c *clipSource) Frame(dst []int16) bool {
	for len(dst) > 0 {
		if c.at == len(c.samples) {
			if !c.loop || c.at == 0 {
				clear(dst)
				return false
			}
			c.at, c.rough = 0, c.jumps()
		}
		n := copy(dst, c.samples[c.at:])
		if c.rough && c.at < declick {
			c.seam(dst[:n])
		}
		c.at += n
		dst = dst[n:]
	}
	return c.loop || c.at < len(c.samples)
}

// Beep is 1000 Hz, at a level in dBm0: record after the tone.
func Beep(d time.Duration, level float64) Source { return tone.Beep(d, level).Play(false) }

// HoldMusic is what a party on hold hears until it is taken off: the built-in
// melody, at the rate that the party hears best.
func HoldMusic() Source {
	wide := audio.Melody(2 * sampleRate) // it must not be made on the clock
	return &holdMusic{clipSource{samples: audio.Melody(sampleRate).Samples, loop: true}, sampleRate, wide.Samples}
}

type holdMusic struct {
	clipSource
	rate int
	wide []int16
}

// Rate is the sample rate of what Frame gives.
func (h *holdMusic) Rate() int { return h.rate }

// Tune asks for a sample rate before the music begins.
func (h *holdMusic) Tune(rate int) {
	if rate == 2*sampleRate {
		h.rate, h.samples = rate, h.wide
	}
}
