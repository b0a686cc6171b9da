package media

import (
	"time"

	"b2bua/media/audio"
	"b2bua/media/tone"
)

// ClipSource plays a clip, once or for ever. A clip at another rate is
// resampled here, so prompts are best kept at 8 kHz.
func ClipSource(clip audio.Clip, loop bool) Source {
	return &clipSource{samples: clip.Resample(sampleRate).Samples, loop: loop}
}

type clipSource struct {
	samples []int16
	at      int
	loop    bool
}

func (c *clipSource) Frame(dst []int16) bool {
	for len(dst) > 0 {
		if c.at == len(c.samples) {
			if !c.loop || c.at == 0 {
				clear(dst)
				return false
			}
			c.at = 0
		}
		n := copy(dst, c.samples[c.at:])
		c.at += n
		dst = dst[n:]
	}
	return c.loop || c.at < len(c.samples)
}

// Beep is 1000 Hz, at a level in dBm0: record after the tone.
func Beep(d time.Duration, level float64) Source { return tone.Beep(d, level).Play(false) }

// HoldMusic is what a party on hold hears until it is taken off.
func HoldMusic() Source { return ClipSource(audio.Melody(), true) }
