package tone

import "time"

// Kind says what a tone means (ITU-T E.182).
type Kind uint8

// The kinds of call-progress tones.
const (
	Dial       Kind = iota // the exchange waits for digits
	Ringback               // the called party is being rung
	Busy                   // the called party is engaged
	Congestion             // the network has no way through
)

func (k Kind) String() string {
	switch k {
	case Dial:
		return "dial"
	case Ringback:
		return "ringback"
	case Busy:
		return "busy"
	}
	return "congestion"
}

// Step is one part of a cadence: a sound, or silence, for a time.
type Step struct {
	For time.Duration // 0: without end
	// Hertz are the frequencies that sound together; none is silence.
	Hertz []float64
	// Modulation is the frequency that the first one is modulated by, to a
	// depth of 100 %; 0 is none. The ITU writes it as f1×f2.
	Modulation float64
	// Level is in dBm0, of all frequencies together.
	Level float64
}

// Tone is a cadence, repeated for as long as the tone lasts.
type Tone []Step

// Cycle is how long the cadence is, 0 for a continuous tone.
func (t Tone) Cycle() (d time.Duration) {
	for _, s := range t {
		if s.For == 0 {
			return 0
		}
		d += s.For
	}
	return d
}

// Set is what a country uses.
type Set struct {
	Code                             string // ISO 3166-1, two small letters
	Name                             string
	Dial, Ringback, Busy, Congestion Tone
}

// Of gives the tone of a kind. A country that does not tell congestion from
// busy uses the busy tone for both (ITU-T E.180).
func (s Set) Of(k Kind) Tone {
	switch {
	case k == Dial:
		return s.Dial
	case k == Ringback:
		return s.Ringback
	case k == Congestion && s.Congestion != nil:
		return s.Congestion
	}
	return s.Busy
}

// Beep is 1000 Hz for a time, at a level in dBm0: speak after the tone.
func Beep(d time.Duration, level float64) Tone {
	return Tone{{For: d, Hertz: []float64{1000}, Level: level}}
}

// level is that of tones for which the list gives none, in dBm0.
const level = -13.0

// sound is what a tone is made of, before its cadence.
type sound struct {
	hertz      []float64
	modulation float64
	level      float64
}

// of is one frequency, or several together, at the usual level.
func of(hertz ...float64) sound { return sound{hertz: hertz, level: level} }

// by modulates a sound by a frequency.
func (s sound) by(hertz float64) sound {
	s.modulation = hertz
	return s
}

// at puts a sound at a level in dBm0 for each of its two frequencies, as the
// precise tone plan has it: 3 dB more together.
func (s sound) at(each float64) sound {
	s.level = each + 3.01
	return s
}

// on is the sound without end.
func (s sound) on() Tone { return Tone{s.step(0)} }

// beat is the sound on and off, by turns, each for so many milliseconds.
func (s sound) beat(ms ...int) (t Tone) {
	for i, n := range ms {
		d := time.Duration(n) * time.Millisecond
		if i%2 == 0 {
			t = append(t, s.step(d))
		} else {
			t = append(t, Step{For: d})
		}
	}
	return t
}

func (s sound) step(d time.Duration) Step {
	return Step{For: d, Hertz: s.hertz, Modulation: s.modulation, Level: s.level}
}
