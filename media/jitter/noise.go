package jitter

import "math"

// maxOrder is how many coefficients of a spectrum are taken; more than twelve
// are seldom sent.
const maxOrder = 16

// noise is comfort noise as a far end describes it (RFC 3389): a level and,
// if it likes, the reflection coefficients of its spectrum.
type noise struct {
	on     bool
	level  float64 // rms aimed at
	gain   float64 // of the excitation now: it follows the level softly
	goal   float64
	order  int
	k      [maxOrder]float64
	memory [maxOrder + 1]float64
	seed   uint32
}

// set takes the payload of a comfort noise packet. The first octet is the level,
// in dB below overload (RFC 3389 §3.1); each one behind it is a reflection
// coefficient (§3.2).
func (n *noise) set(payload []byte) {
	db := float64(payload[0] & 0x7f)
	n.level = math.MaxInt16 * math.Pow(10, -db/20)
	n.order = min(len(payload)-1, maxOrder)
	power := 1.0
	for i := range n.order {
		// Quantised evenly from -1 to 1; 127 is 0.
		n.k[i] = math.Max(-0.98, math.Min(0.98, 258*(float64(payload[1+i])-127)/32768))
		power *= 1 - n.k[i]*n.k[i]
	}
	// White noise of rms 1 leaves the filter at 1/√Π(1-k²).
	n.goal = n.level * math.Sqrt(power)
	if !n.on {
		n.gain = n.goal
		clear(n.memory[:])
	}
	n.on = true
}

// fill makes noise.
func (n *noise) fill(dst []int16) {
	for i := range dst {
		n.gain += (n.goal - n.gain) / 256
		dst[i] = int16(math.Max(math.MinInt16, math.Min(math.MaxInt16, n.filter(n.gain*n.white()))))
	}
}

// white is the next random number, evenly spread, with an rms of 1.
func (n *noise) white() float64 {
	n.seed = n.seed*1664525 + 1013904223
	return float64(int32(n.seed)) / (1 << 31) * math.Sqrt(3)
}

// filter is the all-pole lattice of the reflection coefficients.
func (n *noise) filter(f float64) float64 {
	for i := n.order - 1; i >= 0; i-- {
		f -= n.k[i] * n.memory[i]
		n.memory[i+1] = n.memory[i] + n.k[i]*f
	}
	n.memory[0] = f
	return f
}
