package mixer

import "slices"

// A tick is 20 ms: so many samples at 8 and at 16 kHz.
const (
	narrow = 160
	wide   = 320
)

// Mixer is a room. The zero value is an empty one.
type Mixer struct {
	parties []*Party
	low     [narrow]int32 // sum at 8 kHz, then what is heard there
	high    [wide]int32   // likewise at 16 kHz
	lower   [narrow]int32 // scratch of the conversion
	higher  [wide]int32
	both    bool // there are parties of both rates
	down    *down
	up      *up
}

// Join brings in a party that speaks and hears at 8000 or 16000 Hz.
func (m *Mixer) Join(rate int) *Party {
	p := &Party{wide: rate == 16000, fresh: true}
	m.parties = append(m.parties, p)
	m.settle()
	return p
}

// settle looks whether sound must go between the rates.
func (m *Mixer) settle() {
	some := slices.ContainsFunc(m.parties, func(p *Party) bool { return p.wide })
	all := !slices.ContainsFunc(m.parties, func(p *Party) bool { return !p.wide })
	if m.both = some && !all; m.both && m.up == nil {
		m.up, m.down = new(up), new(down)
	}
	if !m.both {
		m.up, m.down = nil, nil
	}
}

// Parties is how many there are, those on their way out included.
func (m *Mixer) Parties() int { return len(m.parties) }

// Mix takes one frame of every party and makes of them what Hear gives, until
// the next Mix.
func (m *Mixer) Mix() {
	clear(m.low[:])
	clear(m.high[:])
	gone := false
	for _, p := range m.parties {
		p.speak()
		gone = gone || p.gone
		if !p.sounding {
			continue
		}
		if p.wide {
			for i, s := range p.own {
				m.high[i] += int32(s)
			}
			continue
		}
		for i, s := range p.own[:narrow] {
			m.low[i] += int32(s)
		}
	}
	if m.both {
		m.down.convert(&m.lower, &m.high)
		m.up.convert(&m.higher, &m.low)
		for i, s := range m.lower {
			m.low[i] += s
		}
		for i, s := range m.higher {
			m.high[i] += s
		}
	}
	if gone {
		m.parties = slices.DeleteFunc(m.parties, func(p *Party) bool { return p.gone })
		m.settle()
	}
}

// Hear fills dst, 20 ms at the party's rate, with the sum of all others.
func (m *Mixer) Hear(p *Party, dst []int16) {
	sum := m.low[:]
	if p.wide {
		sum = m.high[:]
	}
	for i := range dst {
		v := sum[i]
		if p.sounding {
			v -= int32(p.own[i])
		}
		dst[i] = p.limit.Limit(v)
	}
	if p.fresh {
		p.fresh = false
		fadeIn(dst, p.edge())
	}
}
