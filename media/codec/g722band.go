package codec

import "math"

// subband is one of the two adaptive predictors of G.722: what encoder and
// decoder know of a band, kept the same by what was sent (ITU-T G.722 §3, §4).
type subband struct {
	s, sz    int32    // predicted: in all, and by the zeros
	r1       int32    // reconstructed last
	p1, p2   int32    // partially reconstructed lately
	a1, a2   int32    // coefficients of the poles
	b        [6]int32 // and of the zeros
	d        [6]int32 // differences lately
	nb, det  int32    // logarithmic and linear scale factor
	top, exp int32    // largest nb, and how it is made linear
}

var (
	lowAtRest  = subband{det: 32, top: 18432, exp: 8}
	highAtRest = subband{det: 8, top: 22528, exp: 10}
)

func sat(v int32) int32 { return min(max(v, math.MinInt16), math.MaxInt16) }

// differ reports whether a and b have different signs; 0 counts as positive.
func differ(a, b int32) bool { return (a ^ b) < 0 }

// scale adapts the scale factor by w, of the code word (§3.5).
func (b *subband) scale(w int32) {
	b.nb = min(max((b.nb*127)>>7+w, 0), b.top)
	b.det = inverseLog[b.nb>>6&31]
	if shift := b.exp - b.nb>>11; shift < 0 {
		b.det <<= -shift
	} else {
		b.det >>= shift
	}
	b.det <<= 2
}

// adapt takes the quantised difference of a sample and predicts the next one
// (§3.6).
func (b *subband) adapt(d int32) {
	r, p := sat(b.s+d), sat(b.sz+d)
	b.poles(p)
	b.zeros(d)
	sp := sat((b.a1*sat(2*r))>>15 + (b.a2*sat(2*b.r1))>>15)
	b.r1, b.p1, b.p2 = r, p, b.p1
	b.s = sat(sp + b.sz)
}

func (b *subband) poles(p int32) {
	wd := sat(b.a1 << 2)
	if !differ(p, b.p1) {
		wd = min(-wd, math.MaxInt16)
	}
	a2 := wd>>7 + (b.a2*32512)>>15
	if differ(p, b.p2) {
		a2 -= 128
	} else {
		a2 += 128
	}
	b.a2 = min(max(a2, -12288), 12288)
	a1 := (b.a1 * 32640) >> 15
	if differ(p, b.p1) {
		a1 -= 192
	} else {
		a1 += 192
	}
	most := sat(15360 - b.a2)
	b.a1 = min(max(sat(a1), -most), most)
}

func (b *subband) zeros(d int32) {
	step := int32(128)
	if d == 0 {
		step = 0
	}
	sz, last := int32(0), d
	for i := range b.b {
		w := (b.b[i] * 32640) >> 15
		if differ(b.d[i], d) {
			w -= step
		} else {
			w += step
		}
		b.b[i] = sat(w)
		b.d[i], last = last, b.d[i]
		sz += (b.b[i] * sat(2*b.d[i])) >> 15
	}
	b.sz = sat(sz)
}

// quantiseLow gives the code word of a sample of the lower band, 6 bits, and
// quantiseHigh that of one of the higher, 2 bits (§3.3, §3.4).
func (b *subband) quantiseLow(x int32) uint8 {
	e := sat(x - b.s)
	size := e
	if e < 0 {
		size = -(e + 1)
	}
	lo, hi := 1, 30
	for lo < hi {
		if mid := (lo + hi) / 2; size < (decisions[mid]*b.det)>>12 {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	switch {
	case e >= 0:
		return uint8(62 - lo)
	case lo >= 3:
		return uint8(34 - lo)
	}
	return uint8(64 - lo)
}

func (b *subband) quantiseHigh(x int32) uint8 {
	e := sat(x - b.s)
	size := e
	code := uint8(2)
	if e < 0 {
		size, code = -(e + 1), 0
	}
	if size < (564*b.det)>>12 {
		code++
	}
	return code
}

// takeLow and takeHigh let the predictors go on with a code word, and give the
// sample that a decoder makes of it.
func (b *subband) takeLow(code uint8) int32 {
	r := min(max(b.s+(b.det*fine[code])>>15, -16384), 16383)
	d := (b.det * coarse[code>>2]) >> 15
	b.scale(lowStep[code>>2])
	b.adapt(d)
	return r
}

func (b *subband) takeHigh(code uint8) int32 {
	d := (b.det * high[code]) >> 15
	r := min(max(b.s+d, -16384), 16383)
	b.scale(highStep[code])
	b.adapt(d)
	return r
}

// The tables of ITU-T G.722: decision levels (table 14), scale factors (table
// 15), and the values that code words of 6, 4 and 2 bits stand for (tables 7, 9
// and 11 inverted).
var (
	decisions = [31]int32{0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121,
		1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919, math.MaxInt16}
	inverseLog = [32]int32{2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
		2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008}
	fine = [64]int32{-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360,
		-8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040,
		-728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944,
		4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136}
	coarse = [16]int32{0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0}
	high   = [4]int32{-7408, -1616, 7408, 1616}

	lowStep  = [16]int32{-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60}
	highStep = [4]int32{798, -214, 798, -214}
)
