package tone

import (
	"math"
	"time"
)

// fadeTime is how long a sound takes to begin and to end: abrupt edges click.
const fadeTime = 5 * time.Millisecond

// FullScale is the level of the loudest sine that fits 16 bits, in dBm0
// (ITU-T G.711, A-law).
const FullScale = 3.14

// Player makes the samples of a tone. It is a media.Source.
type Player struct {
	tone  Tone
	loop  bool
	rate  int
	fade  int // samples
	steps []step
	step  int
	at    int // samples of the step so far
}

// step is a Step at the player's rate.
type step struct {
	samples int // 0: without end
	hertz   []oscillator
	mod     oscillator
	am      bool
}

// Play makes a player of t, once or for ever, at 8 kHz until it is tuned.
func (t Tone) Play(loop bool) *Player {
	p := &Player{tone: t, loop: loop, steps: make([]step, len(t))}
	for i, s := range t {
		p.steps[i].hertz = make([]oscillator, len(s.Hertz))
	}
	p.Tune(8000)
	return p
}

// Rate is the sample rate that Frame gives.
func (p *Player) Rate() int { return p.rate }

// Tune sets the sample rate and begins anew. It takes no memory.
func (p *Player) Tune(rate int) {
	p.rate, p.step, p.at = rate, 0, 0
	p.fade = int(int64(fadeTime) * int64(rate) / int64(time.Second))
	for i, s := range p.tone {
		st := &p.steps[i]
		st.samples = int(int64(s.For) * int64(rate) / int64(time.Second))
		if st.am = s.Modulation != 0; st.am {
			st.mod = newOscillator(s.Modulation, rate, 1)
		}
		for k, hz := range s.Hertz {
			st.hertz[k] = newOscillator(hz, rate, amplitude(s))
		}
	}
	p.rewind()
}

// amplitude is that of each frequency of a step.
func amplitude(s Step) float64 {
	parts := float64(len(s.Hertz))
	if s.Modulation != 0 {
		parts *= 1.5 // two side bands with half the amplitude
	}
	return math.MaxInt16 * math.Pow(10, (s.Level-FullScale)/20) / math.Sqrt(max(parts, 1))
}

// Frame fills dst with what comes next and tells whether there is more.
func (p *Player) Frame(dst []int16) bool {
	for len(dst) > 0 {
		if p.step == len(p.steps) && !p.again() {
			clear(dst)
			return false
		}
		st := &p.steps[p.step]
		n := len(dst)
		if st.samples > 0 {
			n = min(n, st.samples-p.at)
		}
		p.sound(st, dst[:n])
		dst = dst[n:]
		if p.at += n; p.at == st.samples && st.samples > 0 {
			p.step++
			p.at = 0
			p.rewind()
		}
		if p.at > 1<<30 { // a tone without end: only its beginning needs counting
			p.at = p.fade
		}
	}
	return p.step < len(p.steps) || p.loop && len(p.steps) > 0
}

// again goes back to the first step.
func (p *Player) again() bool {
	if !p.loop || len(p.steps) == 0 {
		return false
	}
	p.step, p.at = 0, 0
	p.rewind()
	return true
}

// rewind lets the step that comes begin at phase zero.
func (p *Player) rewind() {
	if p.step < len(p.steps) {
		st := &p.steps[p.step]
		for i := range st.hertz {
			st.hertz[i].reset()
		}
		st.mod.reset()
	}
}

// sound fills dst from the step at the present place.
func (p *Player) sound(st *step, dst []int16) {
	if len(st.hertz) == 0 {
		clear(dst)
		return
	}
	for i := range dst {
		var v float64
		for k := range st.hertz {
			v += st.hertz[k].next()
		}
		if st.am {
			v *= 1 - st.mod.quadrature()
			st.mod.next()
		}
		at := p.at + i
		edge := at
		if st.samples > 0 {
			edge = min(edge, st.samples-1-at)
		}
		if edge < p.fade {
			v *= 0.5 - 0.5*math.Cos(math.Pi*float64(edge)/float64(p.fade))
		}
		dst[i] = int16(math.RoundToEven(max(math.MinInt16, min(math.MaxInt16, v))))
	}
	for k := range st.hertz {
		st.hertz[k].steady()
	}
	st.mod.steady()
}

// oscillator is a sine made by turning a vector.
type oscillator struct {
	re, im    float64
	turnR     float64
	turnI     float64
	amplitude float64
}

func newOscillator(hz float64, rate int, amplitude float64) oscillator {
	sin, cos := math.Sincos(2 * math.Pi * hz / float64(rate))
	return oscillator{turnR: cos, turnI: sin, amplitude: amplitude}
}

func (o *oscillator) reset() { o.re, o.im = o.amplitude, 0 }

// next is the present sample; the vector goes on to the one after it.
func (o *oscillator) next() float64 {
	v := o.im
	o.re, o.im = o.re*o.turnR-o.im*o.turnI, o.re*o.turnI+o.im*o.turnR
	return v
}

// quadrature runs a quarter ahead of next.
func (o *oscillator) quadrature() float64 { return o.re }

// steady takes back what rounding has added to the amplitude.
func (o *oscillator) steady() {
	if o.amplitude == 0 {
		return
	}
	have := math.Hypot(o.re, o.im)
	if have == 0 {
		return
	}
	o.re *= o.amplitude / have
	o.im *= o.amplitude / have
}
