package audio

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

var rates = []int{8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000}

// gain is the response of the whole prototype at f hertz, in decibels.
func (b *filterBank) gain(f, protoRate float64) float64 {
	var re, im float64
	for p, phase := range b.phases {
		for k, c := range phase {
			i := (b.taps-1-k)*b.up + p
			a := 2 * math.Pi * f * float64(i) / protoRate
			re += float64(c) * math.Cos(a)
			im += float64(c) * math.Sin(a)
		}
	}
	return 20 * math.Log10(math.Hypot(re, im)/float64(b.up))
}

func TestFilterStopsNinetyDecibels(t *testing.T) {
	for _, pair := range [][2]int{{8000, 16000}, {16000, 8000}, {48000, 8000}, {24000, 8000}, {22050, 8000}, {44100, 16000}, {8000, 48000}} {
		t.Run(fmt.Sprint(pair), func(t *testing.T) {
			b := bankFor(pair[0], pair[1])
			proto := float64(pair[0] * b.up)
			nyquist := float64(min(pair[0], pair[1])) / 2
			worst, ripple := math.Inf(-1), 0.0
			for i := range 60 {
				f := nyquist + (proto/2-nyquist)*math.Pow(float64(i)/59, 3)
				worst = max(worst, b.gain(f, proto))
				ripple = max(ripple, math.Abs(b.gain(nyquist*passEdge*float64(i)/59, proto)))
			}
			t.Logf("stop band %.1f dB, ripple %.4f dB, %d taps x %d phases", worst, ripple, b.taps, b.up)
			if worst > -90 {
				t.Errorf("stop band %.1f dB", worst)
			}
			if ripple > 0.01 {
				t.Errorf("pass band ripple %.3f dB", ripple)
			}
		})
	}
}

// level fits a sine of f hertz to the middle of x and gives its level in dBov
// and the level of everything else.
func level(x []int16, rate int, f float64) (tone, rest float64) {
	x = x[len(x)/4 : len(x)*3/4]
	var re, im, all float64
	for i, s := range x {
		a := 2 * math.Pi * f * float64(i) / float64(rate)
		re += float64(s) * math.Cos(a)
		im += float64(s) * math.Sin(a)
		all += float64(s) * float64(s)
	}
	n := float64(len(x))
	amp := 2 * math.Hypot(re, im) / n
	db := func(power float64) float64 {
		return 10 * math.Log10(max(power, 1e-9)/(math.MaxInt16*math.MaxInt16/2.0))
	}
	return db(amp * amp / 2), db(all/n - amp*amp/2)
}

func TestResampledToneKeepsLevelAndStaysClean(t *testing.T) {
	for _, from := range rates {
		for _, to := range rates {
			c := Tone(from, 1e9, -6, 1000).Resample(to)
			if want := to; len(c.Samples) != want {
				t.Fatalf("%d to %d: %d samples, want %d", from, to, len(c.Samples), want)
			}
			tone, rest := level(c.Samples, to, 1000)
			if math.Abs(tone+6) > 0.01 || rest > -88 {
				t.Errorf("%d to %d: tone %.3f dB, rest %.1f dB", from, to, tone, rest)
			}
		}
	}
}

func TestNoAliasFromAboveNyquist(t *testing.T) {
	for _, f := range []float64{4050, 5000, 7000, 11000, 15900} {
		c := Tone(48000, 1e9, -1, f).Resample(8000)
		for i, s := range c.Samples[400:7600] {
			if s > 1 || s < -1 {
				t.Fatalf("%v Hz leaks: sample %d is %d", f, i, s)
			}
		}
	}
}

func TestResampleKeepsPosition(t *testing.T) {
	in := make([]int16, 8000)
	in[4000] = 20000
	out := NewResampler(8000, 16000)
	got := out.Flush(out.Push(nil, in))
	peak := 0
	for i, s := range got {
		if s > got[peak] {
			peak = i
		}
	}
	if peak != 8000 {
		t.Errorf("click at 4000 of 8 kHz came out at %d of 16 kHz", peak)
	}
}

func TestPiecesMakeTheSameStream(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SampledFrom(rates).Draw(t, "from")
		to := rapid.SampledFrom(rates).Draw(t, "to")
		in := rapid.SliceOfN(rapid.Int16(), 0, 600).Draw(t, "in")
		whole := NewResampler(from, to)
		want := whole.Flush(whole.Push(nil, in))

		pieces := NewResampler(from, to)
		var got []int16
		for rest := in; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			got = pieces.Push(got, rest[:n])
			rest = rest[n:]
		}
		got = pieces.Flush(got)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("pieces differ: %d against %d samples", len(got), len(want))
		}
		if n := (len(in)*to + from - 1) / from; len(want) != n {
			t.Fatalf("%d samples, want %d", len(want), n)
		}
	})
}

func TestOddRatiosAreApproximated(t *testing.T) {
	for _, pair := range [][2]int{{44101, 8000}, {191999, 8000}, {8000, 47999}, {4001, 191999}} {
		up, down := ratio(pair[1], pair[0])
		off := float64(up)/float64(down)/(float64(pair[1])/float64(pair[0])) - 1
		if up > maxPhases || math.Abs(off) > 5e-4 {
			t.Errorf("%v: %d/%d is %.1e off", pair, up, down, off)
		}
	}
}

func TestBanksAreSharedSafely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 8 {
			go Tone(8000, 1e8, -6, 440).Resample(16000)
		}
		synctest.Wait()
	})
}

func BenchmarkUpsampleSecond(b *testing.B) {
	c := Tone(8000, 1e9, -6, 1000)
	r := NewResampler(8000, 16000)
	dst := make([]int16, 0, 16400)
	b.ReportAllocs()
	for b.Loop() {
		for i := 0; i < 8000; i += 160 {
			dst = r.Push(dst[:0], c.Samples[i:i+160])
		}
	}
}
