package signal

import "math"

// reach is how many samples the half-band filter looks to each side.
const reach = 11

// halfBand are its coefficients at odd distances; the middle one is a half, the
// others are zero. A Hamming window keeps what folds over 50 dB down.
var halfBand = func() (h [(reach + 1) / 2]float32) {
	for i := range h {
		k := float64(2*i + 1)
		h[i] = float32(math.Sin(math.Pi*k/2) / (math.Pi * k) * (0.54 + 0.46*math.Cos(math.Pi*k/(reach+1))))
	}
	return h
}()

// halver gives every second sample of what the lower half of a band holds.
type halver struct {
	mem [2*reach + 2*hopSamples]float32
}

// halve filters src, at most 2*hopSamples of an even number, into dst.
func (h *halver) halve(dst, src []float32) {
	copy(h.mem[2*reach:], src)
	for i := range len(src) / 2 {
		at := h.mem[2*i : 2*i+2*reach+1]
		y := 0.5 * at[reach]
		for k, c := range halfBand {
			y += c * (at[reach-1-2*k] + at[reach+1+2*k])
		}
		dst[i] = y
	}
	copy(h.mem[:2*reach], h.mem[len(src):len(src)+2*reach])
}
