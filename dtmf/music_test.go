package dtmf

import (
	"math"
	"math/rand/v2"
)

// instrument gives a note's sample at t seconds since it was struck.
type instrument func(hz, t float64) float64

// Notes of real instruments have overtones; two flutes of pure sines could play
// a key, and nobody could tell.
var instruments = []instrument{
	func(hz, t float64) float64 { // organ
		return math.Min(t/0.02, 1) * overtones(hz, t, 1, 0.8, 0.5, 0.5, 0.2, 0.25)
	},
	func(hz, t float64) float64 { // piano
		var v float64
		for n := 1.0; n <= 8; n++ {
			v += math.Exp(-t*(0.8+0.7*n)) / n * math.Sin(2*math.Pi*hz*n*math.Sqrt(1+0.0004*n*n)*t)
		}
		return math.Min(t/0.004, 1) * v
	},
	func(hz, t float64) float64 { // bowed strings, with vibrato
		return math.Min(t/0.08, 1) * overtones(hz, t+0.0006*math.Sin(2*math.Pi*5.5*t)/5.5, 1, 0.6, 0.45, 0.35, 0.28, 0.2, 0.15, 0.1)
	},
	func(hz, t float64) float64 { // clarinet
		return math.Min(t/0.03, 1) * overtones(hz, t, 1, 0.05, 0.7, 0.05, 0.45, 0.04, 0.25)
	},
	func(hz, t float64) float64 { // bell
		return math.Min(t/0.002, 1) * math.Exp(-2*t) * math.Sin(2*math.Pi*hz*t+2.5*math.Exp(-3*t)*math.Sin(2*math.Pi*hz*1.4*t))
	},
	func(hz, t float64) float64 { // guitar
		var v float64
		for n := 1.0; n <= 10; n++ {
			v += math.Exp(-t*(1+0.9*n)) * math.Sin(math.Pi*n*0.22) / n * math.Sin(2*math.Pi*hz*n*t)
		}
		return v
	},
	func(hz, t float64) float64 { // whistle, a breath with it
		return math.Min(t/0.03, 1) * overtones(hz, t+0.0004*math.Sin(2*math.Pi*6*t)/6, 1, 0.06)
	},
}

func overtones(hz, t float64, strength ...float64) (v float64) {
	for i, a := range strength {
		if f := hz * float64(i+1); f < 3900 {
			v += a * math.Sin(2*math.Pi*f*t)
		}
	}
	return v
}

var musicScales = [][]int{{0, 2, 4, 5, 7, 9, 11}, {0, 2, 3, 5, 7, 8, 10}, {0, 3, 5, 6, 7, 10}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}

// music is half a minute of chords, tune and drums, or the music on hold.
func music(r *rand.Rand, n int) ([]float64, error) {
	if n%10 == 0 {
		return melody(), nil
	}
	const length = 30 * 8000
	x := make([]float64, length)
	voice := instruments[n%len(instruments)]
	tuning := 435 + 10*r.Float64()
	scale := musicScales[r.IntN(len(musicScales))]
	root := r.IntN(12)
	beat := 8000 * 60 / (60 + 120*r.Float64())
	note := func(lowest, span int) float64 {
		i := r.IntN(span * len(scale))
		semitones := lowest + root + 12*(i/len(scale)) + scale[i%len(scale)]
		return tuning * math.Pow(2, float64(semitones)/12)
	}
	drums := r.IntN(3) == 0
	for at := 0.0; at < length; at += beat {
		for range r.IntN(5) { // a chord
			play(x, int(at), 0.4+2*r.Float64(), note(-24, 3), 0.6, voice)
		}
		for step := range 1 + r.IntN(4) { // a tune above it
			play(x, int(at+float64(step)*beat/4), 0.1+0.5*r.Float64(), note(0, 2), 1, instruments[r.IntN(len(instruments))])
		}
		for i := int(at); drums && i < min(length, int(at)+2000); i++ {
			t := float64(i-int(at)) / 8000
			x[i] += 1.5*math.Exp(-20*t)*math.Sin(2*math.Pi*60*t) + 0.4*math.Exp(-40*t)*r.NormFloat64()
		}
	}
	return x, nil
}

func play(x []float64, at int, seconds, hz, loud float64, voice instrument) {
	if hz > 3500 {
		return
	}
	n := int(8000 * seconds)
	for i := range min(n, len(x)-at) {
		damp := math.Min(1, float64(n-i)/400)
		x[at+i] += loud * damp * voice(hz, float64(i)/8000)
	}
}

// signal is a tone of exchanges and machines: frequencies sounding together,
// step after step of so many seconds.
type signal []struct {
	seconds float64
	hertz   []float64
}

// progressTones are those of ITU-T E.180 supplement 2 that differ, and what else
// beeps on lines.
var progressTones = []signal{
	{{2, []float64{440, 480}}, {4, nil}},                                                 // ringback, North America
	{{0.4, []float64{400, 450}}, {0.2, nil}, {0.4, []float64{400, 450}}, {2, nil}},       // ringback, United Kingdom
	{{1, []float64{425}}, {4, nil}},                                                      // ringback, most of Europe
	{{1, []float64{384, 416}}, {2, nil}},                                                 // ringback, Japan
	{{0.4, []float64{400, 425}}, {0.2, nil}, {0.4, []float64{400, 425}}, {2, nil}},       // ringback, Australia
	{{0.5, []float64{480, 620}}, {0.5, nil}},                                             // busy, North America
	{{0.25, []float64{480, 620}}, {0.25, nil}},                                           // congestion
	{{0.375, []float64{400}}, {0.375, nil}},                                              // busy, United Kingdom
	{{0.48, []float64{425}}, {0.48, nil}},                                                // busy, Europe
	{{3, []float64{350, 440}}},                                                           // dial, North America
	{{3, []float64{425, 450}}},                                                           // dial, Norway and others
	{{3, []float64{400, 425}}},                                                           // dial, Australia
	{{0.33, []float64{950}}, {0.33, []float64{1400}}, {0.33, []float64{1800}}, {1, nil}}, // special information
	{{0.38, []float64{985}}, {0.27, []float64{1428}}, {0.38, []float64{1777}}, {1, nil}}, // special information, North America
	{{0.1, []float64{1400, 2060, 2450, 2600}}, {0.1, nil}},                               // receiver off hook
	{{0.5, []float64{1100}}, {3, nil}},                                                   // fax calling
	{{3, []float64{2100}}, {0.1, nil}},                                                   // fax answering
	{{3, []float64{2225}}, {0.1, nil}},                                                   // modem answering
	{{1, []float64{1000}}, {1, nil}}, {{0.5, []float64{1400}}, {15, nil}},                // beeps
	{{2, []float64{1004}}, {1, nil}},                                                               // test tone
	{{0.3, []float64{440}}, {9.7, nil}},                                                            // call waiting
	{{0.06, []float64{600}}, {0.06, nil}, {0.06, []float64{600}}, {1, nil}},                        // intrusion
	{{0.05, []float64{697}}, {0.05, []float64{1209}}, {0.05, []float64{770}}, {0.5, nil}},          // one tone of a key after the other
	{{1, []float64{697}}, {1, []float64{1336}}, {0.2, nil}},                                        // and for long
	{{0.022, []float64{1400}}, {0.022, []float64{1800}}},                                           // text telephone
	{{0.0033, []float64{980}}, {0.0033, []float64{1180}}, {0.0067, []float64{980}}},                // modem of 300 bit/s
	{{0.00083, []float64{1200}}, {0.00083, []float64{2200}}, {0.00167, []float64{1200}}},           // caller identification
	{{0.5, []float64{440, 554, 659}}, {0.5, []float64{392, 494, 587}}, {1, nil}},                   // chime
	{{0.1, []float64{1200}}, {0.1, []float64{1000}}, {0.1, []float64{800}}, {2, nil}},              // answering machine
	{{0.3, []float64{852}}, {0.3, []float64{1477}}, {0.3, []float64{941}}, {0.3, []float64{1633}}}, // frequencies of keys alone
}

// progress is ten seconds of such a tone.
func progress(r *rand.Rand, n int) ([]float64, error) {
	const length = 10 * 8000
	x := make([]float64, length)
	tones := progressTones[n%len(progressTones)]
	// Exchanges keep within one per cent.
	off := 1 + 0.01*(2*r.Float64()-1)
	var phase [8]float64
	step, left := 0, tones[0].seconds*8000
	for i := range x {
		for left < 1 {
			step = (step + 1) % len(tones)
			left += tones[step].seconds * 8000
		}
		left--
		for j, hz := range tones[step].hertz {
			phase[j] += 2 * math.Pi * hz * off / 8000
			x[i] += math.Sin(phase[j])
		}
	}
	return x, nil
}
