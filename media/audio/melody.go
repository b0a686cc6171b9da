package audio

import (
	"math"
	"sync"
)

// Melody is the music on hold that is built in: 84 s to be repeated without a
// seam, at 8000 or 16000 Hz and at -20 dBm0 on the whole. It was written for this
// switch and is made here, note by note: no recording, nobody else's rights.
// Four verses of seven bars walk through different chords, figures and tunes, in
// the middle of the band that a telephone passes. Each rate is made once, when it
// is first asked for; the clip belongs to nobody.
func Melody(rate int) Clip {
	if rate == 16000 {
		return melodyWide()
	}
	return melodyNarrow()
}

var (
	melodyNarrow = sync.OnceValue(func() Clip { return play(8000) })
	melodyWide   = sync.OnceValue(func() Clip { return play(16000) })
)

const (
	// melodyLevel is -20 dBm0, relative to a sine of full scale.
	melodyLevel = -23.14

	barTime = 3.0 // seconds, eight steps
	steps   = 8
)

// bar is three seconds: a chord, the order in which its voices are plucked, and
// the tune above it.
type bar struct {
	chord  [4]int // semitones above middle C
	figure int
	tune   []note
}

// note is one of the tune: when, in steps of the bar, and how high.
type note struct {
	step  int
	pitch int
}

// figures say which voice of the chord is plucked at each step; -1 is a rest.
var figures = [][steps]int{
	{0, 1, 2, 3, 2, 1, 3, 2},
	{0, 2, 1, 3, 0, 2, 3, 1},
	{0, -1, 2, 3, -1, 2, 1, 3},
	{3, 2, 1, 0, 1, 2, 3, 2},
	{0, 1, 3, -1, 2, 3, 1, -1},
}

// song is in C, with a verse in A minor and one in F on the way.
var song = []bar{
	{[4]int{0, 4, 7, 11}, 0, nil},
	{[4]int{-3, 4, 7, 12}, 0, []note{{0, 16}, {3, 14}, {6, 12}}},
	{[4]int{-7, 4, 9, 12}, 0, []note{{1, 9}, {4, 12}}},
	{[4]int{-5, 2, 7, 11}, 1, []note{{0, 14}, {2, 16}, {5, 11}}},
	{[4]int{-8, 4, 7, 11}, 0, []note{{0, 7}, {4, 11}, {6, 14}}},
	{[4]int{-10, 5, 9, 12}, 1, []note{{0, 12}, {3, 9}}},
	{[4]int{-5, 5, 9, 11}, 2, []note{{0, 11}, {2, 14}, {4, 17}}},

	{[4]int{-3, 4, 7, 12}, 2, []note{{0, 16}, {4, 19}}},
	{[4]int{-8, 4, 7, 11}, 2, []note{{0, 19}, {3, 16}, {5, 14}}},
	{[4]int{-7, 5, 9, 12}, 3, []note{{0, 12}, {2, 14}, {4, 16}, {6, 17}}},
	{[4]int{-12, 4, 7, 12}, 3, []note{{0, 19}, {5, 16}}},
	{[4]int{-10, 2, 5, 9}, 1, []note{{0, 17}, {3, 14}, {6, 12}}},
	{[4]int{-3, 4, 7, 12}, 0, []note{{1, 16}, {4, 12}}},
	{[4]int{-8, 2, 8, 11}, 4, []note{{0, 14}, {3, 11}}},

	{[4]int{-7, 5, 9, 16}, 4, []note{{0, 21}, {4, 16}}},
	{[4]int{-5, 7, 10, 14}, 4, []note{{0, 17}, {2, 19}, {5, 14}}},
	{[4]int{-3, 7, 12, 16}, 1, []note{{0, 16}, {3, 19}, {6, 12}}},
	{[4]int{-10, 5, 9, 14}, 3, nil},
	{[4]int{-14, 5, 10, 14}, 3, []note{{0, 14}, {4, 17}}},
	{[4]int{-12, 4, 9, 12}, 2, []note{{0, 16}, {2, 12}, {4, 9}}},
	{[4]int{-5, 5, 7, 11}, 0, []note{{0, 11}, {3, 7}}},

	{[4]int{0, 7, 11, 16}, 1, []note{{0, 16}, {6, 19}}},
	{[4]int{-1, 7, 11, 14}, 1, []note{{0, 19}, {3, 14}}},
	{[4]int{-3, 7, 12, 16}, 0, []note{{0, 12}, {2, 16}, {4, 21}, {7, 19}}},
	{[4]int{-8, 4, 7, 14}, 2, []note{{1, 16}, {5, 11}}},
	{[4]int{-7, 4, 9, 12}, 4, []note{{0, 12}, {4, 9}, {6, 12}}},
	{[4]int{-10, 5, 9, 12}, 3, []note{{0, 14}, {3, 17}}},
	{[4]int{-5, 5, 9, 11}, 2, []note{{0, 11}, {4, 14}}},
}

// play makes the song.
func play(rate int) Clip {
	pcm := make([]float64, int(barTime*float64(len(song)))*rate)
	step := int(barTime * float64(rate) / steps)
	for i, b := range song {
		at := i * step * steps
		for k, voice := range figures[b.figure] {
			if voice >= 0 {
				pluck(pcm, rate, at+k*step, pitch(b.chord[voice]), 0.9-0.25*float64(k%2), 1.6)
			}
		}
		// The root an octave lower, held under the figure.
		pluck(pcm, rate, at, pitch(b.chord[0]-12), 1.1, 0.9)
		for _, n := range b.tune {
			pluck(pcm, rate, at+n.step*step, pitch(n.pitch), 1.1, 1.1)
		}
	}
	return Clip{Rate: rate, Samples: levelled(pcm, melodyLevel)}
}

// pitch is the frequency of a tone, in equal temperament from a' = 440 Hz.
func pitch(semitones int) float64 { return 440 * math.Pow(2, float64(semitones-9)/12) }

// partials of a string: how loud, and how fast they die away, per second.
var partials = []struct{ loud, fade float64 }{{1, 0}, {0.35, 2}, {0.12, 4}, {0.05, 6}}

// pluck adds a note that swells within 15 ms and dies away at a pace per second.
// Its end goes on at the beginning, so that the song has no seam.
func pluck(pcm []float64, rate, at int, hz, loud, pace float64) {
	attack := 0.015 * float64(rate)
	for k, p := range partials {
		// A sine that dies away is a vector that turns and shrinks.
		sin, cos := math.Sincos(2 * math.Pi * hz * float64(k+1) / float64(rate))
		shrink := math.Exp(-(pace + p.fade) / float64(rate))
		re, im := loud*p.loud, 0.0
		n := int(4 / (pace + p.fade) * float64(rate)) // until it is 35 dB down
		to := pcm[at:]
		for i := range n {
			if len(to) == 0 {
				to = pcm
			}
			edge := min(float64(i), float64(n-i), attack) / attack
			to[0] += im * edge
			to = to[1:]
			re, im = (re*cos-im*sin)*shrink, (re*sin+im*cos)*shrink
		}
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
