package signal

import (
	"math"
	"sync"
	"time"

	"b2bua/media/tone"
)

const (
	// dialHops is how long a tone without pauses is heard until it is the dial
	// tone: no cadence sounds for that long.
	dialHops         = 300
	dialLow, dialTop = 330.0, 480.0

	// What a tone may differ by from its definition.
	hertzOff   = 20.0
	spreadMost = 30.0
	levelOff   = 4.0

	// A pause up to this length must be heard again before a tone with one
	// pulse to its cadence is believed.
	shortPause = 120 // hops
)

// most is how many pulses a cadence of the table has at most.
const most = 4

// cadence is a tone of the table, as it shows.
type cadence struct {
	kind   tone.Kind
	n      int           // pulses in a cycle
	on     [most]float64 // hops
	off    [most]float64
	level  [most]float64 // below the loudest, dB
	hertz  float64
	spread float64
	uses   int // countries that have it
}

// cadences are those of all countries, each once.
var cadences = sync.OnceValue(func() (all []cadence) {
	for _, s := range tone.Countries() {
		for _, k := range []tone.Kind{tone.Busy, tone.Congestion, tone.Ringback, tone.Dial} {
			c, ok := cadenceOf(k, s.Of(k))
			if !ok {
				continue
			}
			for i := range all {
				if same := all[i]; same.kind == k {
					same.uses = c.uses
					if same == c {
						all[i].uses++
						ok = false
						break
					}
				}
			}
			if ok {
				all = append(all, c)
			}
		}
	}
	return all
})

// cadenceOf describes a tone; one without pauses has no cadence.
func cadenceOf(k tone.Kind, t tone.Tone) (c cadence, ok bool) {
	c = cadence{kind: k, uses: 1}
	loudest := math.Inf(-1)
	for i, s := range t {
		hops := float64(s.For / hopTime)
		if s.For == 0 || i%2 == 0 == (len(s.Hertz) == 0) || c.n == most && i%2 == 0 {
			return c, false
		}
		if i%2 == 0 {
			c.on[c.n], c.level[c.n] = hops, s.Level
			c.hertz, c.spread = shape(s)
			loudest = max(loudest, s.Level)
			c.n++
		} else {
			c.off[c.n-1] = hops
		}
	}
	for i := range c.n {
		c.level[i] = loudest - c.level[i]
	}
	return c, c.n > 0
}

// shape is the middle of a step's frequencies, and how far they are from it.
func shape(s tone.Step) (hertz, spread float64) {
	if s.Modulation != 0 {
		return s.Hertz[0], s.Modulation / math.Sqrt(3) // a third of the power is in the side bands
	}
	for _, hz := range s.Hertz {
		hertz += hz / float64(len(s.Hertz))
	}
	for _, hz := range s.Hertz {
		spread += (hz - hertz) * (hz - hertz) / float64(len(s.Hertz))
	}
	return hertz, math.Sqrt(spread)
}

// match looks for the cadence that the latest pulses have.
func (s *pulses) match() {
	s.best, s.due = cadence{}, 0
	least := math.Inf(1)
	for _, c := range cadences() {
		for phase := range c.n {
			miss, ok := s.fits(&c, phase)
			// More countries outweigh a small difference.
			if miss -= 0.01 * float64(min(c.uses, 10)); ok && miss < least {
				least, s.best = miss, c
			}
		}
	}
	if s.best.n == 0 {
		s.regular()
	}
	if s.best.n == 0 {
		return
	}
	s.due = s.now.end
	if pause := s.best.off[0]; s.best.n == 1 && pause <= shortPause {
		s.due += int64(0.8 * pause)
	}
}

// fits compares the latest pulses with a cadence that begins at a phase: one
// pulse more than it has, so that every pulse and every pause was heard. miss
// tells how far they are from it.
func (s *pulses) fits(c *cadence, phase int) (miss float64, ok bool) {
	first := s.n - c.n - 1
	if first < 0 || !near(s.now.hertz, c.hertz, hertzOff) || !near(s.now.spread, c.spread, spreadMost) {
		return 0, false
	}
	loudest := math.Inf(-1)
	for i := first; i < s.n; i++ {
		loudest = max(loudest, s.ring[i].level)
	}
	for i := range c.n + 1 {
		p, step := &s.ring[first+i], (phase+i)%c.n
		d := p.length() - c.on[step]
		if p.cut && d < 0 {
			d = 0
		}
		within := tolerance(c.on[step])
		if !near(d, 0, within) || !near(loudest-p.level, c.level[step], levelOff) {
			return 0, false
		}
		miss += d * d / (within * within)
		if i == c.n {
			break
		}
		d = float64(s.ring[first+i+1].start-p.end) - c.off[step]
		if within = tolerance(c.off[step]); !near(d, 0, within) {
			return 0, false
		}
		miss += d * d / (within * within)
	}
	miss /= float64(2*c.n + 1)
	d := (s.now.hertz - c.hertz) / hertzOff
	return miss + d*d, true
}

// tolerance is how much a pulse or pause may differ, in hops: what our own
// steps take away, and what E.180 allows.
func tolerance(hops float64) float64 { return 2.5 + 0.07*hops }

// regular takes three pulses at equal distances for a tone that is not in the
// table.
func (s *pulses) regular() {
	if s.n < 3 {
		return
	}
	a, b, c := &s.ring[s.n-3], &s.ring[s.n-2], &s.ring[s.n-1]
	on, off := b.length(), float64(c.start-b.end)
	if !near(on, c.length(), tolerance(on)) || !a.cut && !near(on, a.length(), tolerance(on)) ||
		!near(off, float64(b.start-a.end), tolerance(off)) || !near(a.level, c.level, levelOff) || !near(a.level, b.level, levelOff) {
		return
	}
	t := cadence{n: 1, on: [most]float64{on}, off: [most]float64{off}}
	switch {
	case on >= 30 && on <= 250 && off >= 120 && off <= 700:
		t.kind = tone.Ringback
	case on < 12 || on > 90 || off < 0.4*on || off > 2*on:
		return
	case on+off <= 60:
		t.kind = tone.Congestion
	default:
		t.kind = tone.Busy
	}
	s.best = t
}

// recognise tells of the tone that is there by now.
func (s *pulses) recognise() (f Found, ok bool) {
	if s.on { // for very long
		if s.pure() && s.hertz/float64(s.good) >= dialLow && s.hertz/float64(s.good) <= dialTop {
			return Found{Kind: tone.Dial, From: at(s.now.start), Hertz: s.hertz / float64(s.good)}, true
		}
		return Found{}, false
	}
	if s.best.n == 0 {
		return Found{}, false
	}
	return Found{Kind: s.best.kind, From: at(s.ring[0].start), Hertz: s.now.hertz}, true
}

// at is the time of a hop.
func at(hop int64) time.Duration { return time.Duration(hop) * hopTime }
