package signal

// pulse is a sound between two silences.
type pulse struct {
	start, end int64   // hops
	hertz      float64 // the middle of its frequencies
	spread     float64
	level      float64 // dBm0
	cut        bool    // it had begun already
}

// length is in hops.
func (p *pulse) length() float64 { return float64(p.end - p.start) }

const (
	pulseLeast = -48.0 // dBm0: quieter is silence
	pulseRise  = 8.0   // dB that a pulse stands above what was before it
	pulseFall  = 12.0  // dB that it ends with

	// restMost is how much of a pure tone may be something else: 15 dB less.
	restMost = 0.03
	// A tone has its middle between these frequencies.
	hertzLeast, hertzMost = 300.0, 700.0
	// drift is how far it may stray within a pulse, in hertz.
	drift = 12.0

	// longest is the longest silence within a cadence.
	longest = 800 // hops
)

// pulses parts what is heard into pulses, and keeps the latest as long as they
// follow each other with nothing but silence between them.
type pulses struct {
	on      bool
	recent  [looks]float64
	before  float64 // power of the silence
	plateau float64 // highest power of this pulse
	now     pulse
	power   float64 // sum over the hops that are pure
	hertz   float64 // likewise
	spread  float64 // likewise
	lo, hi  float64 // least and most hertz
	good    int
	bad     int

	ring [8]pulse
	n    int // in ring, the oldest first

	best cadence // of the pulses so far; nil steps: none
	due  int64   // hop at which it is certain if the silence lasts
}

var (
	leastPower = power(pulseLeast)
	riseFactor = power(pulseRise) / power(0)
	fallFactor = power(0) / power(pulseFall)
)

func (s *pulses) clear() { *s = pulses{recent: s.recent, before: s.before} }

// hop takes 10 ms, and tells whether it is worth looking for a tone.
func (s *pulses) hop(h int64, p float64, r reading) bool {
	s.recent[h%looks] = p
	loud := p
	for _, q := range s.recent { // the beats of two tones are no silence
		loud = max(loud, q)
	}
	if !s.on {
		if p > leastPower && p > s.before*riseFactor {
			s.begin(h)
		} else {
			s.before += (loud - s.before) * 0.1
			if s.n > 0 && h-s.ring[s.n-1].end > longest {
				s.n = 0
			}
			return s.due > 0 && h >= s.due
		}
	}
	if h-s.now.start > 2*looks && p > s.plateau*riseFactor {
		// What was taken for a pulse is the noise of the line.
		s.n = 0
		s.begin(h)
	}
	s.plateau = max(s.plateau, loud)
	if loud < s.plateau*fallFactor {
		s.finish(h - looks + 1)
		return s.due > 0 && h >= s.due
	}
	// The probe looks back by 40 ms, over the edge at first.
	if h-s.now.start < looks {
		return false
	}
	s.judge(p, r)
	return h-s.now.start == dialHops
}

func (s *pulses) begin(h int64) {
	s.on, s.plateau, s.due = true, 0, 0
	s.now = pulse{start: h, cut: h < looks}
	s.power, s.hertz, s.spread, s.good, s.bad = 0, 0, 0, 0, 0
}

// judge counts the hops that are a pure tone.
func (s *pulses) judge(p float64, r reading) {
	if r.rest > restMost || r.hertz < hertzLeast || r.hertz > hertzMost {
		s.bad++
		return
	}
	if s.good == 0 {
		s.lo, s.hi = r.hertz, r.hertz
	}
	lo, hi := min(s.lo, r.hertz), max(s.hi, r.hertz)
	if hi-lo > 2*drift {
		s.bad++
		return
	}
	s.lo, s.hi = lo, hi
	s.good++
	s.power += p
	s.hertz += r.hertz
	s.spread += r.spread
}

// pure: all but the edges of the pulse is one tone.
func (s *pulses) pure() bool { return s.good >= 7 && s.bad <= 5+s.good/10 }

// finish ends the pulse.
func (s *pulses) finish(end int64) {
	s.on, s.before = false, s.plateau*fallFactor/riseFactor
	if !s.pure() {
		s.n = 0
		return
	}
	s.now.end = end
	s.measure()
	if s.n > 0 && !s.now.like(&s.ring[s.n-1]) {
		s.n = 0
	}
	if s.n == len(s.ring) {
		s.n = copy(s.ring[:], s.ring[1:])
	}
	s.ring[s.n] = s.now
	s.n++
	s.match()
}

// measure takes the means of the pulse so far.
func (s *pulses) measure() {
	n := float64(s.good)
	s.now.level, s.now.hertz, s.now.spread = ofPower(s.power/n), s.hertz/n, s.spread/n
}

// like: both are the same sound.
func (p *pulse) like(o *pulse) bool {
	return near(p.hertz, o.hertz, drift) && near(p.spread, o.spread, spreadMost)
}

func near(a, b, within float64) bool { return a-b <= within && b-a <= within }
