package dtmf

import "math"

const (
	// block is the hop of the detector, 5 ms.
	block = toneRate / 200
	// segmentSize is the window that frequencies are measured with, 15 ms: the
	// nearest row and column are four of its bins apart, where a Hann window
	// lets nothing of one into the other.
	segmentSize = 3 * block
	// toneRate is the sample rate that tones are detected at.
	toneRate = 8000
)

// minBlock is the least energy of a block worth looking at: two tones well under
// the lowest level.
const minBlock = block * 400

// bins are the eight frequencies, rows first, in radians a sample.
var bins = func() (w [8]float64) {
	for i := range 4 {
		w[i], w[4+i] = radians(rows[i]), radians(columns[i])
	}
	return w
}()

func radians(hertz float64) float64 { return 2 * math.Pi * hertz / toneRate }

// The tables hold half a window: the other half mirrors it. Sample i of a table
// is i+½ samples from the middle.
var (
	blockCos, blockSin = func() (c, s [block / 2][8]float32) {
		for i := range c {
			for k, w := range bins {
				sin, cos := math.Sincos(w * (float64(i) + 0.5))
				c[i][k], s[i][k] = float32(cos), float32(sin)
			}
		}
		return c, s
	}()
	segmentCos, segmentSin = func() (c, s [8][segmentSize / 2]float32) {
		for k, w := range bins {
			for i := range segmentSize / 2 {
				t := float64(i) + 0.5
				hann := math.Cos(math.Pi * t / segmentSize)
				sin, cos := math.Sincos(w * t)
				c[k][i], s[k][i] = float32(hann*hann*cos), float32(hann*hann*sin)
			}
		}
		return c, s
	}()
	// blockTurn is what a tone of each bin turns by in a block.
	blockTurn = func() (turn [8]complex64) {
		for k, w := range bins {
			sin, cos := math.Sincos(w * block)
			turn[k] = complex(float32(cos), float32(sin))
		}
		return turn
	}()
)

// spectrum is the content of a block at the eight frequencies, phases counted
// from its middle, and its energy.
type spectrum struct {
	re, im [8]float32
	energy float32
}

// of analyses a block, unless it is as good as silent. A cosine is the same on
// both sides of the middle, a sine its opposite: folding the block first halves
// the work.
func (s *spectrum) of(x *[block]int16) {
	var even, odd [block / 2]float32
	var energy float32
	for i := range block / 2 {
		right, left := int32(x[block/2+i]), int32(x[block/2-1-i])
		e, o := float32(right+left), float32(right-left)
		even[i], odd[i] = e, o
		energy += e*e + o*o
	}
	*s = spectrum{energy: energy / 2}
	if s.energy < minBlock {
		return
	}
	var c0, c1, c2, c3, c4, c5, c6, c7 float32
	for i, e := range even {
		t := &blockCos[i]
		c0 += e * t[0]
		c1 += e * t[1]
		c2 += e * t[2]
		c3 += e * t[3]
		c4 += e * t[4]
		c5 += e * t[5]
		c6 += e * t[6]
		c7 += e * t[7]
	}
	s.re = [8]float32{c0, c1, c2, c3, c4, c5, c6, c7}
	c0, c1, c2, c3, c4, c5, c6, c7 = 0, 0, 0, 0, 0, 0, 0, 0
	for i, o := range odd {
		t := &blockSin[i]
		c0 += o * t[0]
		c1 += o * t[1]
		c2 += o * t[2]
		c3 += o * t[3]
		c4 += o * t[4]
		c5 += o * t[5]
		c6 += o * t[6]
		c7 += o * t[7]
	}
	s.im = [8]float32{-c0, -c1, -c2, -c3, -c4, -c5, -c6, -c7}
}

// pair is the strongest row and column of the window made of two blocks, and
// the part of its energy that they have.
type pair struct {
	row, col int8
	share    float32
}

const (
	// minShare of the energy makes a window one of two tones. Two tones are not
	// quite orthogonal in 10 ms, and 1.5 % beside the frequency costs a quarter.
	minShare = 0.45
	// coarseTwist bounds how much louder one of them is in a window, as power.
	coarseTwist = 25
)

// pairOf finds the pair of a window; ok is false when it is something else.
func pairOf(before, after *spectrum) (p pair, ok bool) {
	var power [8]float32
	for k := range power {
		// What the block before has turned by since.
		c, s := real(blockTurn[k]), imag(blockTurn[k])
		re := after.re[k] + before.re[k]*c - before.im[k]*s
		im := after.im[k] + before.re[k]*s + before.im[k]*c
		power[k] = re*re + im*im
	}
	low, high := power[0], power[4]
	for i := int8(1); i < 4; i++ {
		if power[i] > low {
			low, p.row = power[i], i
		}
		if power[4+i] > high {
			high, p.col = power[4+i], i
		}
	}
	// A sine of N samples and energy E has a sum of squares E·N/2.
	p.share = (low + high) / (block * (before.energy + after.energy))
	return p, p.share >= minShare && low < coarseTwist*high && high < coarseTwist*low
}
