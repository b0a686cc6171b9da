package dtmf

import "math"

const (
	// anchorage is the shortest run that a key can be mended from, in windows, and
	// scraps is how many all its runs have.
	anchorage = 4
	scraps    = 5
	// patience is how long after a run its other piece is waited for.
	patience = 5 * block
	// reach is how far from one piece the other one is looked for, sound lost
	// between them not counted, and gap the longest interruption between them.
	reach = 34*ms + gap
	gap   = 12 * ms
	// minScrap is the shortest piece that counts.
	minScrap = 2 * ms
	// mendedPure is the part of the energy that the two tones must have in the
	// pieces. They must be whole: there is less to know them by.
	mendedPure = 0.9
)

// scrap is what is left of a key that was interrupted so that neither piece of it
// can be measured: the longest run of windows, and how many there were around it.
type scrap struct {
	row, col    int8
	windows, of int
	from, to    int64 // blocks that are whole
	due         int64 // when it is to be mended
}

// keep notes a run that ended two blocks ago and was too short to be a key.
func (d *Detector) keep(r *run) {
	c := &d.scrap
	same := c.due > 0 && c.row == r.row && c.col == r.col
	if !same && r.windows == 1 {
		return // the edge of a tone may look like another one
	}
	whole := int64(r.windows - 1)
	last := d.now - 2*block
	if !same || last-whole*block-c.to > reach+maxLost {
		*c = scrap{row: r.row, col: r.col}
	}
	c.of += r.windows
	if r.windows > c.windows {
		c.windows, c.from, c.to = r.windows, last-whole*block, last
	}
	c.due = d.now + patience
}

// mend looks for a key in pieces. They belong to one press when the same two
// tones, with one phase, explain them all.
func (d *Detector) mend(dst []Press) []Press {
	c := d.scrap
	d.scrap = scrap{}
	zero := d.now - int64(d.count)*block
	if c.windows < anchorage || c.of < scraps || c.from < zero {
		return dst
	}
	var m mending
	m.load(d)
	m.parts[1] = part{int(c.from - zero), int(c.to - zero)}
	m.w = [2]float64{bins[c.row], bins[4+c.col]}
	if !m.fit() || !m.extend(d, zero) || !m.fit() || !m.extend(d, zero) || !m.sound(c.row, c.col) {
		return dst
	}
	p := piece{row: c.row, col: c.col, w: m.w, begin: math.MaxInt64}
	for _, x := range m.parts {
		if x.to > x.from {
			p.begin, p.end = min(p.begin, zero+int64(x.from)), max(p.end, zero+int64(x.to))
			p.tones += int64(x.to - x.from)
		}
	}
	if p.tones < minTone {
		return dst
	}
	return d.press(dst, p)
}

// part is a stretch of sound.
type part struct{ from, to int }

// mending is the sound of the history with the two tones that are fitted to up
// to three parts of it: the one that was found, and those before and after it.
type mending struct {
	x     [history * block]float64
	n     int
	parts [3]part
	w     [2]float64    // radians a sample
	a     [2][2]float64 // cosine and sine of each tone at the middle of the first part
	at    float64       // that middle
}

func (m *mending) load(d *Detector) {
	m.n = d.count * block
	for i := range d.count {
		for j, v := range d.sound[(d.newest-d.count+i+2*history)%history] {
			m.x[i*block+j] = float64(v)
		}
	}
}

// model is the tones at sample i, in their cosines and sines.
func (m *mending) model(i int) (y float64, cos, sin [2]float64) {
	t := float64(i) - m.at
	for k := range 2 {
		sin[k], cos[k] = math.Sincos(m.w[k] * t)
		y += m.a[k][0]*cos[k] + m.a[k][1]*sin[k]
	}
	return y, cos, sin
}

// fit finds the tones that explain the parts best (Gauss and Newton): their
// amplitudes first, then their frequencies too. It is false when it goes astray.
func (m *mending) fit() bool {
	begun := m.a != [2][2]float64{}
	if !begun {
		m.at = float64(m.parts[1].from+m.parts[1].to) / 2
	}
	for round := range 4 {
		unknowns := 6
		if round == 0 && !begun {
			unknowns = 4 // tones of no amplitude have no frequency
		}
		var e equations
		for _, p := range m.parts {
			for i := p.from; i < p.to; i++ {
				y, cos, sin := m.model(i)
				t := (float64(i) - m.at) / block
				row := [6]float64{cos[0], sin[0], cos[1], sin[1]}
				for k := range 2 {
					row[4+k] = t * (m.a[k][1]*cos[k] - m.a[k][0]*sin[k])
				}
				e.add(&row, m.x[i]-y)
			}
		}
		v, ok := e.solve(unknowns)
		if !ok {
			return false
		}
		for k := range 2 {
			m.a[k][0] += v[2*k]
			m.a[k][1] += v[2*k+1]
			m.w[k] += v[4+k] / block
		}
	}
	return true
}

// extend finds where the parts begin and end: up to there the tones explain more
// of the sound than they add to it.
func (m *mending) extend(d *Detector, zero int64) bool {
	power := (m.a[0][0]*m.a[0][0] + m.a[0][1]*m.a[0][1] + m.a[1][0]*m.a[1][0] + m.a[1][1]*m.a[1][1]) / 2
	lost := func(from, to int) int { return int(d.lostIn(zero+int64(from), zero+int64(to))) }
	middle := &m.parts[1]
	core := (middle.from + middle.to) / 2
	middle.to = core + m.edge(core, 1, power)
	middle.from = core - m.edge(core-1, -1, power)
	if middle.to-middle.from < minTone/3 {
		return false
	}
	m.parts[2] = m.best(middle.to, min(m.n, middle.to+reach+lost(middle.to, m.n)), power)
	if p := &m.parts[2]; p.from-middle.to-lost(middle.to, p.from) > gap {
		*p = part{}
	}
	m.parts[0] = m.best(max(0, middle.from-reach-lost(0, middle.from)), middle.from, power)
	if p := &m.parts[0]; middle.from-p.to-lost(p.to, middle.from) > gap {
		*p = part{}
	}
	return true
}

// gain is how much of the energy of sample i the tones explain.
func (m *mending) gain(i int) float64 {
	y, _, _ := m.model(i)
	return y * (2*m.x[i] - y)
}

// edge is how many samples from i on are of the tones.
func (m *mending) edge(i, step int, power float64) (n int) {
	var sum, most float64
	for k := 0; i >= 0 && i < m.n && sum > most-power*3*ms; i, k = i+step, k+1 {
		if sum += m.gain(i); sum > most {
			most, n = sum, k+1
		}
	}
	return n
}

// best is the part between two samples that the tones explain most of.
func (m *mending) best(from, to int, power float64) (p part) {
	var sum, most float64
	begin := from
	for i := from; i < to; i++ {
		if sum <= 0 {
			sum, begin = 0, i
		}
		if sum += m.gain(i); sum > most {
			most, p = sum, part{begin, i + 1}
		}
	}
	if p.to-p.from < minScrap || most < power*float64(p.to-p.from)/2 {
		return part{}
	}
	return p
}

// sound reports whether the tones are those of a key, and all there is.
func (m *mending) sound(row, col int8) bool {
	var energy, rest float64
	for _, p := range m.parts {
		for i := p.from; i < p.to; i++ {
			y, _, _ := m.model(i)
			energy += m.x[i] * m.x[i]
			rest += (m.x[i] - y) * (m.x[i] - y)
		}
	}
	var tones chord
	for k, w := range [2]float64{bins[row], bins[4+col]} {
		if math.Abs(m.w[k]-w) > maxOff*w {
			return false
		}
		tones[k] = tone{m.w[k], float32(m.a[k][0]), float32(m.a[k][1])}
	}
	return rest < (1-mendedPure)*energy && tones.loud()
}

// equations are those of a least squares fit with up to six unknowns, and what
// they are to give.
type equations [6][7]float64

func (e *equations) add(row *[6]float64, y float64) {
	for i, v := range row {
		for j := i; j < 6; j++ {
			e[i][j] += v * row[j]
		}
		e[i][6] += v * y
	}
}

// solve solves the first n; the others are 0.
func (e *equations) solve(n int) (v [6]float64, ok bool) {
	for i := range n {
		for j := range i {
			e[i][j] = e[j][i]
		}
	}
	scale := [6]float64{}
	for i := range n {
		scale[i] = e[i][i]
	}
	for i := range n {
		if e[i][i] <= 1e-9*scale[i] || scale[i] <= 0 {
			return v, false
		}
		for k := i + 1; k < n; k++ {
			f := e[k][i] / e[i][i]
			for j := i; j < n; j++ {
				e[k][j] -= f * e[i][j]
			}
			e[k][6] -= f * e[i][6]
		}
	}
	for i := n - 1; i >= 0; i-- {
		v[i] = e[i][6]
		for j := i + 1; j < n; j++ {
			v[i] -= e[i][j] * v[j]
		}
		v[i] /= e[i][i]
	}
	return v, true
}
