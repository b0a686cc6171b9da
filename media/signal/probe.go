package signal

import "math"

const (
	// lowRate is the sample rate at which tones are looked at: they all lie
	// below 1 kHz.
	lowRate = 2000
	lowHop  = lowRate / 100

	// looks is how many hops are looked at together.
	looks = 4
)

// sums are the products of neighbouring samples over a hop.
type sums struct {
	pp, pq, qq             float64
	uu, uv, uw, vv, vw, ww float64
}

func (s *sums) add(o *sums) {
	s.pp, s.pq, s.qq = s.pp+o.pp, s.pq+o.pq, s.qq+o.qq
	s.uu, s.uv, s.uw = s.uu+o.uu, s.uv+o.uv, s.uw+o.uw
	s.vv, s.vw, s.ww = s.vv+o.vv, s.vw+o.vw, s.ww+o.ww
}

// probe tells of the last 40 ms whether they are one or two steady sines, and
// where. A sine fulfils x[n] + x[n-2] = 2 cos(w) x[n-1], two together
// x[n] + x[n-4] = a (x[n-1] + x[n-3]) + b x[n-2]; what is left over of the best
// such line is everything that is not a sine.
type probe struct {
	last [4]float64
	ring [looks]sums
	at   int
}

// reading is what a probe says.
type reading struct {
	hertz  float64 // the middle of what sounds
	spread float64 // how far from the middle it lies, in hertz
	rest   float64 // share of the power that is no sine
}

func (p *probe) hop(x *[lowHop]float32) reading {
	s := &p.ring[p.at]
	*s = sums{}
	p.at = (p.at + 1) % looks
	a, b, c, d := p.last[0], p.last[1], p.last[2], p.last[3]
	for _, v := range x {
		x := float64(v)
		s.pp += (x + b) * (x + b)
		s.pq += (x + b) * a
		s.qq += a * a
		u, v, w := x+d, a+c, b
		s.uu += u * u
		s.uv += u * v
		s.uw += u * w
		s.vv += v * v
		s.vw += v * w
		s.ww += w * w
		a, b, c, d = x, a, b, c
	}
	p.last = [4]float64{a, b, c, d}
	var all sums
	for i := range p.ring {
		all.add(&p.ring[i])
	}
	return all.read()
}

func (s *sums) read() reading {
	if s.qq < 1 || s.ww < 1 {
		return reading{rest: 1}
	}
	c := s.pq / s.qq
	rest := max(0, s.pp-c*s.pq) / ((2 + c*c) * s.qq)
	r := reading{rest: rest}
	c = max(-1.999, min(1.999, c))
	w := math.Acos(c / 2)
	r.hertz = w * lowRate / (2 * math.Pi)
	// Two equal sines at a distance of d from the middle leave 4 sin²w d².
	r.spread = math.Sqrt(rest*(2+c*c)) / (2 * math.Sin(w)) * lowRate / (2 * math.Pi)
	if det := s.vv*s.ww - s.vw*s.vw; det > 1e-9*s.vv*s.ww {
		a := (s.uv*s.ww - s.uw*s.vw) / det
		b := (s.uw*s.vv - s.uv*s.vw) / det
		two := max(0, s.uu-a*s.uv-b*s.uw) / ((2 + 2*a*a + b*b) * s.ww)
		r.rest = min(r.rest, two)
	}
	return r
}
