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
	for _, rate := range []int{8000, 16000} {
		m := Melody(rate)
		if m.Rate != rate || len(m.Samples) != 84*rate {
			t.Fatalf("%d samples at %d Hz", len(m.Samples), m.Rate)
		}
		if got := decibels(m.Samples); math.Abs(got+23.14) > 0.2 {
			t.Errorf("%.1f dBFS", got)
		}
		// Nobody who waits may think that the line is dead, or be startled.
		for at := 0; at+rate/2 <= len(m.Samples); at += rate / 2 {
			if got := decibels(m.Samples[at : at+rate/2]); got < -34 || got > -16 {
				t.Errorf("%.1f dBFS at %d ms", got, at*1000/rate)
			}
		}
		for i, s := range m.Samples {
			if s > 20000 || s < -20000 {
				t.Fatalf("sample %d is %d", i, s)
			}
			if step := int(s) - int(m.Samples[(i+len(m.Samples)-1)%len(m.Samples)]); step > 6000 || step < -6000 {
				t.Fatalf("a click of %d at sample %d", step, i)
			}
		}
		if again := Melody(rate); &again.Samples[0] != &m.Samples[0] {
			t.Error("made twice")
		}
	}
}

// No bar is like another: what is heard does not come again within a minute.
func TestMelodyDoesNotRepeat(t *testing.T) {
	m := Melody(8000)
	const length = 3 * 8000
	for a := 0; a < len(m.Samples); a += length {
		for b := a + length; b < len(m.Samples); b += length {
			var same, power float64
			for i := range length {
				x, y := float64(m.Samples[a+i]), float64(m.Samples[b+i])
				same, power = same+x*y, power+(x*x+y*y)/2
			}
			if alike := same / power; alike > 0.9 {
				t.Errorf("bars %d and %d are alike: %.2f", a/length, b/length, alike)
			}
		}
	}
}

// Both rates are the same music: what the narrow one has is in the wide one.
func TestMelodyAtBothRates(t *testing.T) {
	narrow, wide := Melody(8000).Samples, Melody(16000).Samples
	var off, power float64
	for i, s := range narrow {
		d := float64(s) - float64(wide[2*i])
		off, power = off+d*d, power+float64(s)*float64(s)
	}
	if snr := 10 * math.Log10(power/off); snr < 20 {
		t.Errorf("they differ by %.1f dB", snr)
	}
}

func BenchmarkMelody(b *testing.B) {
	for b.Loop() {
		play(16000)
	}
}
