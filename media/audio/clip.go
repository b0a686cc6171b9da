package audio

import (
	"math"
	"time"
)

// Clip is mono sound: 16-bit linear samples at Rate hertz. Clips are treated
// as immutable, so that one prompt can be played to many callers.
type Clip struct {
	Rate    int
	Samples []int16
}

// Duration is the exact length of the clip.
func (c Clip) Duration() time.Duration {
	return c.At(int64(len(c.Samples)))
}

// At is the time of sample n at the clip's rate.
func (c Clip) At(n int64) time.Duration {
	if c.Rate <= 0 {
		return 0
	}
	sec, rest := n/int64(c.Rate), n%int64(c.Rate)
	return time.Duration(sec)*time.Second + time.Duration(rest*int64(time.Second)/int64(c.Rate))
}

// Resample gives the clip at another rate. The same rate gives the clip itself.
func (c Clip) Resample(rate int) Clip {
	if c.Rate == rate || c.Rate <= 0 || rate <= 0 || len(c.Samples) == 0 {
		return Clip{Rate: rate, Samples: c.Samples}
	}
	r := NewResampler(c.Rate, rate)
	n := int(int64(len(c.Samples))*int64(rate)/int64(c.Rate)) + 1
	out := r.Push(make([]int16, 0, n), c.Samples)
	return Clip{Rate: rate, Samples: r.Flush(out)}
}

// Tone makes a clip of one or more sine waves, each at level dBov (0 is a sine
// that just reaches full scale), with 2 ms ramps so that it does not click.
func Tone(rate int, d time.Duration, level float64, hertz ...float64) Clip {
	n := int(int64(d) * int64(rate) / int64(time.Second))
	out := make([]int16, n)
	amp := math.MaxInt16 * math.Pow(10, level/20)
	ramp := min(rate/500, n/2)
	for i := range out {
		var v float64
		for _, f := range hertz {
			v += math.Sin(2 * math.Pi * f * float64(i) / float64(rate))
		}
		v *= amp
		if edge := min(i, n-1-i); edge < ramp {
			v *= float64(edge) / float64(ramp)
		}
		out[i] = clamp16(v)
	}
	return Clip{Rate: rate, Samples: out}
}

// Silence makes a clip of d of nothing.
func Silence(rate int, d time.Duration) Clip {
	return Clip{Rate: rate, Samples: make([]int16, int64(d)*int64(rate)/int64(time.Second))}
}

func clamp16(v float64) int16 {
	switch {
	case v >= math.MaxInt16:
		return math.MaxInt16
	case v <= math.MinInt16:
		return math.MinInt16
	}
	return int16(math.RoundToEven(v))
}

// mixDown folds interleaved channels into one by averaging.
func mixDown(interleaved []int16, channels int) []int16 {
	if channels == 1 {
		return interleaved
	}
	out := interleaved[:0]
	for i := 0; i+channels <= len(interleaved); i += channels {
		sum := 0
		for _, s := range interleaved[i : i+channels] {
			sum += int(s)
		}
		out = append(out, int16(sum/channels))
	}
	return out
}
