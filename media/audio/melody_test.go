package audio

import (
	"math"
	"testing"
)

// decibels is the level of samples relative to a sine of full scale.
func decibels(pcm []int16) float64 {
	var sum float64
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return 10*math.Log10(sum/float64(len(pcm))+1e-9) - 10*math.Log10(math.MaxInt16*math.MaxInt16/2)
}

func TestMelody(t *testing.T) {
	m := Melody()
	if m.Rate != 8000 || len(m.Samples) != 24*8000 {
		t.Fatalf("%d samples at %d Hz", len(m.Samples), m.Rate)
	}
	if got := decibels(m.Samples); math.Abs(got+24) > 0.2 {
		t.Errorf("%.1f dBFS", got)
	}
	// Nobody who waits may think that the line is dead, or be startled.
	for at := 0; at < len(m.Samples); at += 2000 {
		if got := decibels(m.Samples[at : at+2000]); got < -40 || got > -16 {
			t.Errorf("%.1f dBFS at %d ms", got, at/8)
		}
	}
	for i, s := range m.Samples {
		if s > 16000 || s < -16000 {
			t.Fatalf("sample %d is %d", i, s)
		}
		if step := int(s) - int(m.Samples[(i+len(m.Samples)-1)%len(m.Samples)]); step > 6000 || step < -6000 {
			t.Fatalf("a click of %d at sample %d", step, i)
		}
	}
	if again := Melody(); &again.Samples[0] != &m.Samples[0] {
		t.Error("made twice")
	}
}
