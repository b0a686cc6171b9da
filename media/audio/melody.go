package audio

import (
	"math"
	"sync"
)

// Melody is the music on hold that is built in: 24 s at 8 kHz, made to be
// repeated without a seam. Eight chords of plucked notes, three seconds each, in
// the middle of the band a telephone passes, at -24 dBFS on the whole. It is
// made once, and belongs to nobody.
func Melody() Clip { return melody() }

var melody = sync.OnceValue(func() Clip {
	pcm := make([]float64, len(chords)*chordSamples)
	for i, chord := range chords {
		for step, note := range figure {
			pluck(pcm, i*chordSamples+step*stepSamples, pitch(chord[note]), 1-0.3*float64(step%2))
		}
		// The root an octave lower, held under the figure.
		pluck(pcm, i*chordSamples, pitch(chord[0])/2, 1.2)
	}
	return Clip{Rate: melodyRate, Samples: levelled(pcm, melodyLevel)}
})

const (
	melodyRate   = 8000
	chordSamples = 3 * melodyRate
	stepSamples  = chordSamples / 8
	melodyLevel  = -24.0 // dB below a sine of full scale
)

// chords are semitones above middle C: I maj7, vi 7, IV maj7, V 6, then once
// more with other inner voices.
var chords = [][4]int{
	{0, 4, 7, 11}, {-3, 4, 7, 12}, {-7, 4, 9, 12}, {-5, 4, 7, 11},
	{-8, 4, 7, 11}, {-3, 4, 9, 12}, {-10, 5, 9, 12}, {-5, 5, 9, 11},
}

// figure is which voice of the chord is plucked at each of the eight steps.
var figure = [8]int{0, 1, 2, 3, 2, 1, 3, 2}

// pitch is the frequency of a tone, in equal temperament from a' = 440 Hz.
func pitch(semitones int) float64 { return 440 * math.Pow(2, float64(semitones-9)/12) }

// pluck adds a note that swells within 15 ms and dies away; its end goes on at
// the beginning, so that the loop has no seam.
func pluck(pcm []float64, at int, hz, loud float64) {
	const attack = 0.015
	for i := range 5 * melodyRate / 2 {
		t := float64(i) / melodyRate
		env := math.Min(t/attack, 1) * math.Exp(-1.6*t)
		w := 2 * math.Pi * hz * t
		s := math.Sin(w) + 0.35*math.Sin(2*w)*math.Exp(-2*t) + 0.12*math.Sin(3*w)*math.Exp(-4*t)
		pcm[(at+i)%len(pcm)] += loud * env * s
	}
}

// levelled brings sound to a level, in dB relative to a sine of full scale.
func levelled(pcm []float64, db float64) []int16 {
	var sum float64
	for _, s := range pcm {
		sum += s * s
	}
	gain := math.MaxInt16 / math.Sqrt2 * math.Pow(10, db/20) / math.Sqrt(sum/float64(len(pcm)))
	out := make([]int16, len(pcm))
	for i, s := range pcm {
		out[i] = int16(math.Round(math.Max(math.MinInt16, math.Min(math.MaxInt16, s*gain))))
	}
	return out
}
