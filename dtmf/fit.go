package dtmf

import "math"

// What makes two tones a key, besides how long they last.
const (
	// maxOff is how far a tone may be beside its frequency: ITU-T Q.24 asks for
	// 1.5 % to be taken and 3.5 % to be refused. Less than 2 % also keeps octaves
	// out, which are frequent in speech and music: the keys that come nearest are
	// 1.92 and 2.12 apart.
	maxOff = 0.0185
	// maxNormal and maxReverse bound the twist in decibels: how much louder the
	// low tone is, and the high one. To be taken are 8 and 4.
	maxNormal  = 10
	maxReverse = 7
	// minLevel is the weakest tone, in dBm0.
	minLevel = -45.5
	// minPure is the part of the energy that the two tones must have: 6 dB of
	// noise leave 0.8.
	minPure = 0.77
	// steady is by how much a tone's amplitude may change within the span.
	steady = 1.5
)

const (
	// edge is how far around a span its beginning and end are looked for.
	edge = 2 * block
	// spanBlocks is the longest span that is measured.
	spanBlocks = 8
)

// span is a stretch of sound which holds nothing but two tones, as it seems,
// with what is before and after it.
type span struct {
	x           [edge + spanBlocks*block + edge]float32
	first, last int // the stretch is x[first:last]
	to          int // what there is around it is x[:to]
}

// fit is what was measured of a span.
type fit struct {
	begin, end int        // where in x the tones begin and end
	w          [2]float64 // their frequencies
}

// tone is one of the two, measured.
type tone struct {
	w    float64 // radians a sample
	a, b float32 // of cosine and sine, phases counted from the middle
}

// measure decides whether a span holds the tones of a key, and where they begin
// and end.
func (s *span) measure(row, col int8) (f fit, ok bool) {
	low, ok := s.frequency(int(row))
	if !ok {
		return f, false
	}
	high, ok := s.frequency(4 + int(col))
	if !ok {
		return f, false
	}
	f.w = [2]float64{low, high}
	tones, pure := s.solve(f.w)
	if pure < minPure || !tones.loud() || pure < s.doubtful() && s.lines(&tones) {
		return f, false
	}
	f.begin, f.end = s.begin(&tones), s.end(&tones)
	return f, true
}

// chord is two tones sounding together, the low one first.
type chord [2]tone

// frequency measures the tone near a bin, from the phases of windows that
// overlap: two close by tell it roughly and without doubt, two far apart finely.
func (s *span) frequency(k int) (w float64, ok bool) {
	w = bins[k]
	n := s.last - s.first
	p0, a0 := s.phase(s.first, k)
	p1, _ := s.phase(s.first+block, k)
	off := turn(p1-p0-w*block) / block
	shift := float64(n - segmentSize)
	pn, an := s.phase(s.last-segmentSize, k)
	off += turn(pn-p0-(w+off)*shift) / shift
	return w + off, math.Abs(off) < maxOff*w && a0 < steady*an && an < steady*a0
}

// turn brings an angle to ±π.
func turn(angle float64) float64 { return math.Remainder(angle, 2*math.Pi) }

// phase is the phase in the middle of a window, and an amplitude.
func (s *span) phase(at, k int) (phase float64, amplitude float32) {
	x := (*[segmentSize]float32)(s.x[at:])
	cos, sin := &segmentCos[k], &segmentSin[k]
	var c, d float32
	for i := range segmentSize / 2 {
		right, left := x[segmentSize/2+i], x[segmentSize/2-1-i]
		c += (right + left) * cos[i]
		d += (right - left) * sin[i]
	}
	return math.Atan2(float64(-d), float64(c)), float32(math.Sqrt(float64(c*c + d*d)))
}

// solve finds the amplitudes of two tones of known frequency by least squares,
// and what part of the span's energy they explain. Counted from the middle,
// cosines and sines have nothing in common, so there are two equations of two
// unknowns, not one of four.
func (s *span) solve(w [2]float64) (tones chord, pure float32) {
	var c, d [2]float32 // correlations with cosines and sines
	var energy float32
	q0, r0 := oscillator(w[0])
	q1, r1 := oscillator(w[1])
	half := (s.last - s.first) / 2
	middle := s.first + half
	right := s.x[middle : middle+half]
	left := s.x[middle-half : middle]
	for i, x := range right {
		y := left[len(left)-1-i]
		even, odd := x+y, x-y
		energy += x*x + y*y
		c[0] += even * q0.re
		d[0] += odd * q0.im
		c[1] += even * q1.re
		d[1] += odd * q1.im
		q0.by(r0)
		q1.by(r1)
	}
	n := float64(2 * half)
	apart, together := dirichlet(w[0]-w[1], n)/2, dirichlet(w[0]+w[1], n)/2
	first, second := dirichlet(2*w[0], n)/2, dirichlet(2*w[1], n)/2
	tones = chord{{w: w[0]}, {w: w[1]}}
	tones[0].a, tones[1].a = both(n/2+first, apart+together, n/2+second, c)
	tones[0].b, tones[1].b = both(n/2-first, apart-together, n/2-second, d)
	return tones, (tones[0].a*c[0] + tones[1].a*c[1] + tones[0].b*d[0] + tones[1].b*d[1]) / energy
}

// loud reports whether the levels are those of a key.
func (c *chord) loud() bool {
	low, high := c[0].level(), c[1].level()
	return low > minLevel && high > minLevel && low-high < maxNormal && high-low < maxReverse
}

// both solves two equations of two unknowns with a symmetric matrix.
func both(a, b, c float64, y [2]float32) (u, v float32) {
	det := a*c - b*b
	p, q := float64(y[0]), float64(y[1])
	return float32((c*p - b*q) / det), float32((a*q - b*p) / det)
}

// dirichlet is the sum of cos(w·t) over n samples around the middle.
func dirichlet(w, n float64) float64 {
	s := math.Sin(w / 2)
	if math.Abs(s) < 1e-9 {
		return n
	}
	return math.Sin(w*n/2) / s
}

// level is a tone's level in dBm0.
func (t tone) level() float64 {
	return 10*math.Log10(float64(t.a*t.a+t.b*t.b)) - 20*math.Log10(dbm0(0))
}

// end finds the sample at which the tones end: up to there, going on with them
// explains more of the sound than it adds.
func (s *span) end(tones *chord) int {
	end := s.last - block
	var best, gain float32
	m := follow(tones, float64(end-(s.first+s.last)/2)+0.5, 1)
	for i, x := range s.x[end:s.to] {
		y := m.next()
		gain += y * (2*x - y)
		if gain > best {
			best, end = gain, s.last-block+i+1
		}
	}
	return end
}

// begin finds the sample at which they begin in the same way.
func (s *span) begin(tones *chord) int {
	begin := s.first + block
	var best, gain float32
	m := follow(tones, float64(begin-(s.first+s.last)/2)-0.5, -1)
	for i := begin - 1; i >= 0; i-- {
		y := m.next()
		gain += y * (2*s.x[i] - y)
		if gain > best {
			best, begin = gain, i
		}
	}
	return begin
}

// phasor is a point that goes around in circles.
type phasor struct{ re, im float32 }

func (p *phasor) by(r phasor) {
	p.re, p.im = p.re*r.re-p.im*r.im, p.re*r.im+p.im*r.re
}

// oscillator starts half a sample from the middle; r is its step.
func oscillator(w float64) (start, r phasor) {
	sin, cos := math.Sincos(w / 2)
	start = phasor{float32(cos), float32(sin)}
	sin, cos = math.Sincos(w)
	return start, phasor{float32(cos), float32(sin)}
}

// model goes along two tones, sample by sample.
type model struct{ q, r [2]phasor }

func follow(tones *chord, from float64, direction float64) (m model) {
	for i, t := range tones {
		sin, cos := math.Sincos(t.w * from)
		m.q[i] = phasor{t.a, -t.b}
		m.q[i].by(phasor{float32(cos), float32(sin)})
		sin, cos = math.Sincos(t.w * direction)
		m.r[i] = phasor{float32(cos), float32(sin)}
	}
	return m
}

func (m *model) next() float32 {
	y := m.q[0].re + m.q[1].re
	m.q[0].by(m.r[0])
	m.q[1].by(m.r[1])
	return y
}
