package mixer

import "math"

// reach is how many samples at 16 kHz the half-band filter looks to each side:
// 4.4 ms, the delay between parties of different rates.
const reach = 71

// taps are the coefficients at odd distances; the middle one is a half, the
// others are zero. A Kaiser window makes the filter flat to 3.6 kHz and 90 dB
// down from 4.4 kHz on.
var taps = func() (h [(reach + 1) / 2]float32) {
	const beta = 8.96 // 90 dB
	for i := range h {
		k := float64(2*i + 1)
		x := k / (reach + 1)
		h[i] = float32(math.Sin(math.Pi*k/2) / (math.Pi * k) * bessel(beta*math.Sqrt(1-x*x)) / bessel(beta))
	}
	return h
}()

// bessel is the modified Bessel function of order zero.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= x / (2 * k) * x / (2 * k)
		sum += term
	}
	return sum
}

// down gives 8 kHz of 16 kHz.
type down struct {
	mem [2*reach + wide]float32
}

func (d *down) convert(dst *[narrow]int32, src *[wide]int32) {
	for i, s := range src {
		d.mem[2*reach+i] = float32(s)
	}
	for i := range dst {
		at := d.mem[2*i : 2*i+2*reach+1]
		y := 0.5 * at[reach]
		for k, c := range taps {
			y += c * (at[reach-1-2*k] + at[reach+1+2*k])
		}
		dst[i] = int32(math.RoundToEven(float64(y)))
	}
	copy(d.mem[:2*reach], d.mem[wide:])
}

// up gives 16 kHz of 8 kHz: every other sample is one of the input, those
// between are filtered.
type up struct {
	mem [reach + 1 + narrow]float32
}

func (u *up) convert(dst *[wide]int32, src *[narrow]int32) {
	const middle = (reach + 1) / 2
	for i, s := range src {
		u.mem[reach+1+i] = float32(s)
	}
	for i := range src {
		at := u.mem[i : i+reach+1]
		dst[2*i] = int32(at[middle-1])
		var y float32
		for k, c := range taps {
			y += c * (at[middle-1-k] + at[middle+k])
		}
		dst[2*i+1] = int32(math.RoundToEven(float64(2 * y)))
	}
	copy(u.mem[:reach+1], u.mem[narrow:])
}
