package dtmf

import (
	"math"
	"math/bits"
)

const (
	// doubtful is below what part of the energy in the two tones the rest is looked
	// at: it must be noise. A span of full length has no interruption in it, and more
	// is wanted of it.
	doubtful     = 0.92
	doubtfulLong = 0.95
	// maxLine is the part of the rest that one line may have, and maxLines what the
	// three strongest may have together. Of noise one has a fifth at most and three
	// have a third; next to two harmonics of a voice there are others, and next to two
	// notes are their overtones.
	maxLine  = 0.22
	maxLines = 0.45
	points   = 256
)

func (s *span) doubtful() float32 {
	if s.last-s.first == spanBlocks*block {
		return doubtfulLong
	}
	return doubtful
}

// lines reports whether what the tones leave of a span is lines, not noise.
func (s *span) lines(tones *chord) bool {
	n := min(s.last-s.first, points)
	at := (s.first + s.last - n) / 2
	m := follow(tones, float64(at-(s.first+s.last)/2)+0.5, 1)
	var z [points]complex64
	for i := range n {
		x := s.x[at+i] - m.next()
		hann := math.Sin(math.Pi * (float64(i) + 0.5) / float64(n))
		z[i] = complex(x*float32(hann*hann), 0)
	}
	transform(&z)
	var power [points/2 + 1]float32
	var all, sum float32
	for k := 1; k < points/2; k++ {
		power[k] = real(z[k])*real(z[k]) + imag(z[k])*imag(z[k])
		all += power[k]
	}
	for range 3 {
		line := strongest(&power)
		if line > maxLine*all {
			return true
		}
		sum += line
	}
	return sum > maxLines*all
}

// strongest takes the strongest line out of a spectrum.
func strongest(power *[points/2 + 1]float32) (line float32) {
	at := 1
	for k := 1; k < points/2; k++ {
		if p := power[k-1] + power[k] + power[k+1]; p > line {
			line, at = p, k
		}
	}
	clear(power[at-1 : at+2])
	return line
}

var twiddles = func() (w [points / 2]complex64) {
	for i := range w {
		sin, cos := math.Sincos(-2 * math.Pi * float64(i) / points)
		w[i] = complex(float32(cos), float32(sin))
	}
	return w
}()

// transform is a Fourier transform in place.
func transform(z *[points]complex64) {
	const shift = 32 - 8 // points is 2^8
	for i := range uint32(points) {
		if j := bits.Reverse32(i) >> shift; j > i {
			z[i], z[j] = z[j], z[i]
		}
	}
	for size := 2; size <= points; size *= 2 {
		step := points / size
		for from := 0; from < points; from += size {
			a, b := z[from:from+size/2], z[from+size/2:from+size]
			for k := range a {
				t := b[k] * twiddles[k*step]
				a[k], b[k] = a[k]+t, a[k]-t
			}
		}
	}
}
