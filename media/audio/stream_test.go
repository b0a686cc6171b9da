package audio

import (
	"fmt"
	"math"
	"testing"
)

// between are the pairs that legs are converted between, and some odd ones.
var between = [][2]int{
	{8000, 16000}, {16000, 8000}, {8000, 48000}, {48000, 8000}, {16000, 48000}, {48000, 16000},
	{44100, 8000}, {8000, 44100}, {12000, 16000}, {16000, 22050},
}

// streamed pushes sound through in frames of 20 ms.
func streamed(r *Resampler, pcm []int16, from int) []int16 {
	var out []int16
	for frame := from / 50; len(pcm) > 0; pcm = pcm[min(frame, len(pcm)):] {
		out = r.Push(out, pcm[:min(frame, len(pcm))])
	}
	return out
}

func sineAt(rate int, hz, amplitude float64, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(math.Round(amplitude * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
	}
	return pcm
}

// A sweep over all frequencies that must not come through, as alias going down
// or as image going up: what is left of each is 90 dB below it.
func TestSweepOfTheStopBand(t *testing.T) {
	for _, pair := range between {
		from, to := pair[0], pair[1]
		t.Run(fmt.Sprint(pair), func(t *testing.T) {
			worst, at := math.Inf(-1), 0.0
			r := NewStream(from, to)
			edge := float64(min(from, to)) / 2
			note := func(pcm []int16, where, told float64) {
				got, _ := level(pcm, to, where)
				if got > worst {
					worst, at = got, told
				}
			}
			// Frequencies of whole periods, so that a tone leaks into none of the others.
			even := func(hz float64) float64 { return 2 * math.Round(hz/2) }
			for i := range 40 {
				r.Reset()
				if from > to {
					hz := even(edge + 2 + (float64(from)/2-edge-4)*float64(i)/39)
					out := streamed(r, sineAt(from, hz, 32000, from), from)
					note(out, math.Abs(hz-math.Round(hz/float64(to))*float64(to)), hz)
					continue
				}
				hz := even(50 + (edge*passEdge-50)*float64(i)/39)
				out := streamed(r, sineAt(from, hz, 32000, from), from)
				for image := 1; float64(image*from)-hz < float64(to)/2; image++ {
					note(out, float64(image*from)-hz, hz)
				}
			}
			t.Logf("loudest alias or image %.1f dB, of %.0f Hz", worst, at)
			if worst > -90 {
				t.Errorf("%.1f dB come through of %.0f Hz", worst, at)
			}
		})
	}
}

// Every frame of 20 ms gives a frame of 20 ms. After each second the converter
// stands where it stood before, so that an hour is no more than 3600 of them.
func TestStreamDoesNotDrift(t *testing.T) {
	for _, pair := range between {
		from, to := pair[0], pair[1]
		r := NewStream(from, to)
		frame := make([]int16, from/50)
		var out []int16
		short, long := 1<<30, 0
		phase, next := r.phase, r.next
		for second := range 5 {
			total := 0
			for range 50 {
				out = r.Push(out[:0], frame)
				total += len(out)
				short, long = min(short, len(out)), max(long, len(out))
			}
			if total != to || r.phase != phase || r.next-len(r.hist) != next-(r.bank.taps-1) {
				t.Errorf("%v: %d samples in second %d, then at phase %d", pair, total, second, r.phase)
			}
		}
		if long-short > 1 {
			t.Errorf("%v: frames of %d to %d samples", pair, short, long)
		}
	}
}

// A tone that comes in frames keeps its level and gets no noise; it is late by
// half the filter.
func TestStreamedToneIsClean(t *testing.T) {
	for _, pair := range between {
		from, to := pair[0], pair[1]
		r := NewStream(from, to)
		for _, hz := range []float64{300, 1000, 3300} {
			r.Reset()
			out := streamed(r, sineAt(from, hz, 16000, from), from)
			tone, rest := level(out, to, hz)
			if math.Abs(tone-20*math.Log10(16000.0/math.MaxInt16)) > 0.01 || rest > -88 {
				t.Errorf("%v, %v Hz: %.3f dB, rest %.1f dB", pair, hz, tone, rest)
			}
		}
	}
}

func TestStreamAllocatesNothing(t *testing.T) {
	for _, pair := range between {
		r := NewStream(pair[0], pair[1])
		frame, out := make([]int16, pair[0]/50), make([]int16, 0, 1000)
		if n := testing.AllocsPerRun(200, func() { out = r.Push(out[:0], frame) }); n != 0 {
			t.Errorf("%v: %v allocations", pair, n)
		}
	}
}

func BenchmarkStreamFrame(b *testing.B) {
	for _, pair := range [][2]int{{8000, 16000}, {16000, 8000}} {
		b.Run(fmt.Sprint(pair), func(b *testing.B) {
			r := NewStream(pair[0], pair[1])
			frame, out := sineAt(pair[0], 1000, 8000, pair[0]/50), make([]int16, 0, 400)
			b.ReportAllocs()
			for b.Loop() {
				out = r.Push(out[:0], frame)
			}
		})
	}
}
