package mixer

import "math"

// Limiter makes a sum fit 16 bits. What fits goes through unchanged. A peak that
// does not turns the sound down at once, as far as needed and no further; after
// 20 ms without another the level comes back within a quarter of a second. So
// loud passages are quieter, not distorted. The zero value is ready.
type Limiter struct {
	cut  float32 // 1 - gain
	hold int     // samples until the level may come back
}

const (
	holdSamples = 160 // 20 ms at 8 kHz: half a period of 25 Hz
	release     = 1 - 1.0/800
)

// Limit takes the next sample of a sum.
func (l *Limiter) Limit(v int32) int16 {
	if l.cut == 0 && v >= math.MinInt16 && v <= math.MaxInt16 {
		return int16(v)
	}
	y := float32(v) * (1 - l.cut)
	size := max(y, -y)
	if size > math.MaxInt16 {
		l.cut = 1 - math.MaxInt16/max(float32(v), -float32(v))
		l.hold = holdSamples
		if v < 0 {
			return -math.MaxInt16
		}
		return math.MaxInt16
	}
	switch {
	case size > 0.99*math.MaxInt16: // another peak like the last
		l.hold = holdSamples
	case l.hold > 0:
		l.hold--
	default:
		if l.cut *= release; l.cut < 1e-4 {
			l.cut = 0
		}
	}
	return int16(math.RoundToEven(float64(y)))
}

// Add mixes two sounds into dst, which may be one of them; all are equally long.
func (l *Limiter) Add(dst, a, b []int16) {
	for i := range dst {
		dst[i] = l.Limit(int32(a[i]) + int32(b[i]))
	}
}
