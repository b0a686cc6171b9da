package sound

import (
	"math"
	"math/bits"
	"math/cmplx"
	"time"
)

// Rate is in samples per second.
const Rate = 8000

// FullScale is the level of the loudest sine, in dBm0 (ITU-T G.711, A-law).
const FullScale = 3.14

// Silence is the level of nothing at all, in dBm0.
const Silence = -120.0

// Samples is how many samples a time takes.
func Samples(d time.Duration) int { return int(d * Rate / time.Second) }

// Time is how long samples take.
func Time(samples int) time.Duration { return time.Duration(samples) * time.Second / Rate }

// Window is the part of pcm from a time on, cut short where pcm ends.
func Window(pcm []int16, from, length time.Duration) []int16 {
	begin := min(max(Samples(from), 0), len(pcm))
	return pcm[begin:min(begin+Samples(length), len(pcm))]
}

// Tone makes a sine of a level in dBm0.
func Tone(freq, level float64, length time.Duration) []int16 {
	pcm := make([]int16, Samples(length))
	peak := 32768 * math.Pow(10, (level-FullScale)/20)
	for i := range pcm {
		pcm[i] = int16(max(-32768, min(32767, math.Round(peak*math.Sin(2*math.Pi*freq*float64(i)/Rate)))))
	}
	return pcm
}

// Level is the level of all the sound in pcm, in dBm0: that of the sine with the
// same power.
func Level(pcm []int16) float64 {
	if len(pcm) == 0 {
		return Silence
	}
	var sum float64
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return ofPower(sum / float64(len(pcm)))
}

// ofPower converts a mean square to dBm0.
func ofPower(p float64) float64 {
	const fullSine = 32768 * 32768 / 2
	if p <= 0 {
		return Silence
	}
	return max(10*math.Log10(p/fullSine)+FullScale, Silence)
}

// ToneLevel is the level of one frequency in pcm, in dBm0. A Hann window keeps
// what lies further than 16 kHz/samples away out of it.
func ToneLevel(pcm []int16, freq float64) float64 { return ofPower(power(pcm, freq)) }

// power is the mean square of one frequency. Window and oscillator are turned
// step by step, which is much faster than asking for each sine.
func power(pcm []int16, freq float64) float64 {
	if len(pcm) < 2 {
		return 0
	}
	turn := cmplx.Rect(1, -2*math.Pi*freq/Rate)
	window, step := hann(len(pcm))
	var sum complex128
	at := complex(1, 0)
	for _, s := range pcm {
		sum += at * complex((0.5-0.5*real(window))*float64(s), 0)
		at *= turn
		window *= step
	}
	amplitude := 2 * cmplx.Abs(sum) / (float64(len(pcm)) / 2)
	return amplitude * amplitude / 2
}

// hann is where the cosine of a Hann window begins, and its step.
func hann(n int) (at, step complex128) {
	return cmplx.Rect(1, math.Pi/float64(n)), cmplx.Rect(1, 2*math.Pi/float64(n))
}

// Frequency is that of the strongest tone between 100 and 3900 Hz, and its level.
// 100 ms of sound give it to a fraction of a hertz.
func Frequency(pcm []int16) (freq, level float64) {
	if len(pcm) < 80 {
		return 0, Silence
	}
	spectrum := make([]complex128, 1<<bits.Len(uint(2*len(pcm)-1)))
	window, step := hann(len(pcm))
	for i, s := range pcm {
		spectrum[i] = complex((0.5-0.5*real(window))*float64(s), 0)
		window *= step
	}
	transform(spectrum)
	width := Rate / float64(len(spectrum))
	best := 0.0
	for i := int(100 / width); i <= int(3900/width); i++ {
		if p := cmplx.Abs(spectrum[i]); p > best {
			best, freq = p, float64(i)*width
		}
	}
	// The maximum lies within one step: narrow it down.
	low, high := freq-width, freq+width
	for range 25 {
		a, b := low+(high-low)/3, high-(high-low)/3
		if power(pcm, a) < power(pcm, b) {
			low = a
		} else {
			high = b
		}
	}
	freq = (low + high) / 2
	return freq, ToneLevel(pcm, freq)
}

// transform is the fast Fourier transform in place; the length is a power of two.
func transform(x []complex128) {
	n := len(x)
	shift := 64 - bits.Len(uint(n-1))
	for i := range x {
		if j := int(bits.Reverse64(uint64(i)) >> shift); j > i {
			x[i], x[j] = x[j], x[i]
		}
	}
	for size := 2; size <= n; size *= 2 {
		turn := cmplx.Rect(1, -2*math.Pi/float64(size))
		for from := 0; from < n; from += size {
			at := complex(1, 0)
			for i := from; i < from+size/2; i++ {
				a, b := x[i], x[i+size/2]*at
				x[i], x[i+size/2] = a+b, a-b
				at *= turn
			}
		}
	}
}

// Purity is how far the tone stands out of all else in pcm, in dB.
func Purity(pcm []int16, freq float64) float64 {
	if len(pcm) < 2 {
		return 0
	}
	var all, weight float64
	window, step := hann(len(pcm))
	for _, s := range pcm {
		w := 0.5 - 0.5*real(window)
		all += w * w * float64(s) * float64(s)
		weight += w * w
		window *= step
	}
	tone := power(pcm, freq)
	rest := max(all/weight-tone, 1e-3)
	return 10 * math.Log10(max(tone, 1e-3)/rest)
}
