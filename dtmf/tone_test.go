package dtmf

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestFrequencies(t *testing.T) {
	for symbol, want := range map[byte][2]float64{'1': {697, 1209}, '5': {770, 1336}, '#': {941, 1477}, 'D': {941, 1633}, 'a': {697, 1633}} {
		low, high, ok := Frequencies(symbol)
		if !ok || low != want[0] || high != want[1] {
			t.Errorf("%c: %v %v %v", symbol, low, high, ok)
		}
	}
	for _, symbol := range []byte{'x', Flash} {
		if _, _, ok := Frequencies(symbol); ok {
			t.Errorf("%c has tones", symbol)
		}
	}
}

// levelAt is the level of one frequency in dBm0.
func levelAt(pcm []int16, rate int, hz float64) float64 {
	var c, s float64
	for i, v := range pcm {
		// A window of four terms (Blackman and Harris): what is beside it is
		// 92 dB down.
		x := 2 * math.Pi * (float64(i) + 0.5) / float64(len(pcm))
		w := 1 - (0.48829*math.Cos(x)-0.14128*math.Cos(2*x)+0.01168*math.Cos(3*x))/0.35875
		sin, cos := math.Sincos(2 * math.Pi * hz * float64(i) / float64(rate))
		c += w * float64(v) * cos
		s += w * float64(v) * sin
	}
	return 20 * math.Log10(2*math.Hypot(c, s)/float64(len(pcm))/dbm0(0))
}

func TestToneIsClean(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		for _, twist := range []struct{ low, high float64 }{{0, 0}, {-6, -14}, {-14, -10}} {
			tone := Tone{Rate: rate, Low: twist.low, High: twist.high}
			low, high := twist.low, twist.high
			if low == 0 {
				low, high = DefaultLow, DefaultHigh
			}
			for _, key := range symbols[:16] {
				pcm := make([]int16, rate/2+rate/50)
				tone.Fill(pcm[:rate/4], byte(key))
				tone.Fill(pcm[rate/4:rate/2], byte(key))
				tone.Fade(pcm[rate/2:])
				middle := pcm[rate/10 : rate/10*4]
				f, g, _ := Frequencies(byte(key))
				if a, b := levelAt(middle, rate, f), levelAt(middle, rate, g); math.Abs(a-low) > 0.1 || math.Abs(b-high) > 0.1 {
					t.Errorf("%c at %d: %.2f and %.2f dBm0, want %.0f and %.0f", key, rate, a, b, low, high)
				}
				for _, hz := range []float64{2 * f, 2 * g, 3 * f, g - f, f + g} {
					if l := levelAt(middle, rate, hz); hz < float64(rate)/2 && l > -75 {
						t.Errorf("%c at %d: %.0f Hz at %.1f dBm0", key, rate, hz, l)
					}
				}
				if pcm[0] != 0 || pcm[len(pcm)-1] != 0 {
					t.Errorf("%c clicks", key)
				}
			}
		}
	}
}

// What the generator says the detector hears, in time and in length.
func TestToneIsHeard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching("[0-9*#A-D]{1,12}").Draw(t, "digits")
		duration := time.Duration(rapid.IntRange(40, 300).Draw(t, "ms")) * time.Millisecond
		gap := time.Duration(rapid.IntRange(40, 300).Draw(t, "gap")) * time.Millisecond
		lead := rapid.IntRange(0, 400).Draw(t, "lead")
		tone := Tone{Low: -8 - 12*rapid.Float64Range(0, 1).Draw(t, "loss")}
		tone.High = tone.Low - rapid.Float64Range(-4, 8).Draw(t, "twist")
		told := hear(g711(tone.Append(make([]int16, lead), digits, duration, gap), "PCMA"))
		if keysOf(told) != digits {
			t.Fatalf("dialled %s, heard %s", digits, keysOf(told))
		}
		for i, p := range told {
			began := time.Duration(p.Began) * time.Second / 8000
			want := time.Duration(lead)*time.Second/8000 + time.Duration(i)*(duration+gap)
			if off := (began - want).Abs(); off > 4*time.Millisecond {
				t.Errorf("key %d began %s off", i, off)
			}
			if off := (p.Duration - duration).Abs(); off > 6*time.Millisecond {
				t.Errorf("key %d lasted %s, was pressed %s", i, p.Duration, duration)
			}
		}
	})
}

// A key that follows another without a pause does not click: nothing far from
// the tones of both is as loud as a click is.
func TestToneChangesSoftly(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		for at := rate / 20; at < rate/20+rate/100; at += rate / 1000 {
			pcm := make([]int16, rate/10)
			tone := Tone{Rate: rate}
			tone.Fill(pcm[:at], '1')
			tone.Fill(pcm[at:], 'D')
			for i := 1; i < len(pcm); i++ {
				// What two sines may change by in a sample, and the fades.
				if step := math.Abs(float64(pcm[i]) - float64(pcm[i-1])); step > 1.1*2*math.Pi/float64(rate)*(dbm0(DefaultLow)*941+dbm0(DefaultHigh)*1633)+dbm0(DefaultHigh)*1000/float64(rate) {
					t.Fatalf("changed at %d: a step of %.0f at %d", at, step, i)
				}
			}
			if i := at; rate == 16000 && pcm[i-1] > 3000 && pcm[i] < 1000 {
				t.Errorf("cut at %d: %d, then %d", at, pcm[i-1], pcm[i])
			}
		}
	}
}

// The tones are where a sine is after a minute.
func TestToneStaysInTune(t *testing.T) {
	var tone Tone
	pcm := make([]int16, 160)
	for frame := range 3000 {
		tone.Fill(pcm, '5')
		for i, v := range pcm {
			x := 2 * math.Pi * float64(frame*160+i) / 8000
			want := dbm0(DefaultLow)*math.Sin(770*x) + dbm0(DefaultHigh)*math.Sin(1336*x)
			if frame > 0 && math.Abs(want-float64(v)) > 0.6 {
				t.Fatalf("sample %d of frame %d is %d, must be %.1f", i, frame, v, want)
			}
		}
	}
}

func TestFlashIsSilent(t *testing.T) {
	pcm := []int16{1, 2, 3}
	new(Tone).Fill(pcm, Flash)
	if pcm[0]|pcm[1]|pcm[2] != 0 {
		t.Error(pcm)
	}
}
