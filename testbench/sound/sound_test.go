package sound_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"b2bua/testbench/sound"

	"pgregory.net/rapid"
)

const ms = time.Millisecond

func pause(d time.Duration) []int16 { return make([]int16, sound.Samples(d)) }

func near(a, b, by time.Duration) bool { return a-b <= by && b-a <= by }

func TestToneIsMeasuredAsMade(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		freq := rapid.Float64Range(250, 3500).Draw(t, "freq")
		level := rapid.Float64Range(-40, 0).Draw(t, "level")
		length := time.Duration(rapid.IntRange(80, 400).Draw(t, "ms")) * ms
		pcm := sound.Tone(freq, level, length)
		gotFreq, gotLevel := sound.Frequency(pcm)
		if math.Abs(gotFreq-freq) > 0.5 || math.Abs(gotLevel-level) > 0.1 {
			t.Fatalf("%.2f Hz at %.2f dBm0", gotFreq, gotLevel)
		}
		if l := sound.Level(pcm); math.Abs(l-level) > 0.3 {
			t.Fatalf("level %.2f", l)
		}
		if p := sound.Purity(pcm, freq); p < 25 {
			t.Fatalf("purity %.1f dB", p)
		}
	})
}

func TestSilence(t *testing.T) {
	for _, pcm := range [][]int16{nil, pause(100 * ms)} {
		if l := sound.Level(pcm); l != sound.Silence {
			t.Errorf("level %v", l)
		}
		if _, l := sound.Frequency(pcm); l != sound.Silence {
			t.Errorf("tone of %v", l)
		}
		if got := sound.Tones(pcm, 440, -40); got != nil {
			t.Errorf("tones %v", got)
		}
	}
}

func TestOnsetToTheMillisecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := time.Duration(rapid.IntRange(30, 500).Draw(t, "before")) * ms
		length := time.Duration(rapid.IntRange(60, 500).Draw(t, "length")) * ms
		freq := rapid.Float64Range(400, 2000).Draw(t, "freq")
		pcm := slices.Concat(pause(before), sound.Tone(freq, -10, length), pause(200*ms))
		got := sound.Tones(pcm, freq, -13)
		if len(got) != 1 || !near(got[0].From, before, ms) || !near(got[0].To, before+length, 2*ms) {
			t.Fatalf("%v instead of %v for %v", got, before, length)
		}
		if at, ok := sound.Onset(pcm, freq, -13); !ok || at != got[0].From {
			t.Fatalf("onset %v", at)
		}
		if other := sound.Tones(pcm, freq+300, -13); other != nil {
			t.Fatalf("another tone: %v", other)
		}
	})
}

func TestTwoTonesInTurn(t *testing.T) {
	pcm := slices.Concat(pause(100*ms), sound.Tone(440, -10, 200*ms), sound.Tone(1000, -10, 200*ms), pause(100*ms), sound.Tone(440, -10, 300*ms))
	first := sound.Tones(pcm, 440, -13)
	if len(first) != 2 || !near(first[0].From, 100*ms, ms) || !near(first[0].To, 300*ms, 10*ms) || !near(first[1].From, 600*ms, ms) {
		t.Errorf("440 Hz: %v", first)
	}
	if got := sound.Tones(pcm, 1000, -13); len(got) != 1 || !near(got[0].From, 300*ms, 10*ms) || !near(got[0].To, 500*ms, 2*ms) {
		t.Errorf("1000 Hz: %v", got)
	}
	if got := sound.Tones(pcm, 440, -5); got != nil {
		t.Errorf("louder than it is: %v", got)
	}
}

func TestGaps(t *testing.T) {
	pcm := slices.Concat(pause(50*ms), sound.Tone(440, -10, 200*ms), pause(20*ms), sound.Tone(440, -10, 200*ms), pause(5*ms), sound.Tone(440, -10, 100*ms), pause(50*ms))
	got := sound.Gaps(pcm, -30, 15*ms)
	if len(got) != 1 || !near(got[0].From, 250*ms, 2*ms) || !near(got[0].To, 270*ms, 2*ms) {
		t.Errorf("%v", got)
	}
	if got := sound.Window(pcm, 50*ms, 200*ms); len(got) != 1600 {
		t.Errorf("%d samples", len(got))
	}
	if got := sound.Window(pcm, time.Hour, ms); len(got) != 0 {
		t.Errorf("%d samples", len(got))
	}
}
