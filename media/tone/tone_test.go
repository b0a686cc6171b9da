package tone

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"
	"strings"
	"testing"
	"time"
)

var rates = []int{8000, 16000}

// samples are so much of a tone, made in frames of 20 ms.
func samples(t Tone, rate int, d time.Duration) []int16 {
	p := t.Play(true)
	p.Tune(rate)
	out := make([]int16, int64(d)*int64(rate)/int64(time.Second)/int64(rate/50)*int64(rate/50))
	for at := 0; at < len(out); at += rate / 50 {
		p.Frame(out[at : at+rate/50])
	}
	return out
}

// dBm0 is the level of samples.
func dBm0(pcm []int16) float64 {
	var sum float64
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return 10*math.Log10(sum/float64(len(pcm))/(math.MaxInt16*math.MaxInt16/2)+1e-12) + FullScale
}

// part is the level of one frequency in dBm0, seen through a Hann window.
func part(pcm []int16, rate int, hz float64) float64 {
	turn := cmplx.Rect(1, -2*math.Pi*hz/float64(rate))
	slide := cmplx.Rect(1, 2*math.Pi/float64(len(pcm)))
	at, window, sum := complex(1, 0), complex(1, 0), complex(0, 0)
	for _, s := range pcm {
		sum += at * complex((1-real(window))*float64(s), 0)
		at *= turn
		window *= slide
	}
	a := 2 * cmplx.Abs(sum) / float64(len(pcm))
	return 20*math.Log10(a/math.MaxInt16+1e-9) + FullScale
}

// peak is where near hz the strongest frequency is, by a parabola.
func peak(pcm []int16, rate int, hz float64) float64 {
	a, b, c := part(pcm, rate, hz-1), part(pcm, rate, hz), part(pcm, rate, hz+1)
	return hz + (a-c)/(2*(a-2*b+c))
}

// parts are the frequencies of a step and their levels.
func parts(s Step) map[float64]float64 {
	m := map[float64]float64{}
	if s.Modulation != 0 {
		m[s.Hertz[0]] = s.Level - 10*math.Log10(1.5)
		m[s.Hertz[0]-s.Modulation] = m[s.Hertz[0]] - 6.02
		m[s.Hertz[0]+s.Modulation] = m[s.Hertz[0]] - 6.02
		return m
	}
	for _, hz := range s.Hertz {
		m[hz] = s.Level - 10*math.Log10(float64(len(s.Hertz)))
	}
	return m
}

// Every tone of every country, at both rates: its frequencies, levels and
// cadence, measured in the samples.
func TestTones(t *testing.T) {
	tones, measured := 0, map[string]bool{}
	for _, c := range Countries() {
		for _, k := range []Kind{Dial, Ringback, Busy, Congestion} {
			tones++
			if id := fmt.Sprint(c.Of(k)); measured[id] {
				continue
			} else {
				measured[id] = true
			}
			for _, rate := range rates {
				check(t, c.Code+" "+k.String(), c.Of(k), rate)
			}
		}
	}
	t.Logf("%d tones of %d countries, %d different ones", tones, len(countries), len(measured))
}

func check(t *testing.T, name string, tone Tone, rate int) {
	t.Helper()
	cycle := tone.Cycle()
	if cycle == 0 {
		cycle = 2 * time.Second
	}
	pcm := samples(tone, rate, 2*cycle)
	at := 0
	for range 2 {
		for i, s := range tone {
			n := int(int64(s.For) * int64(rate) / int64(time.Second))
			if n == 0 {
				n = int(int64(cycle) * int64(rate) / int64(time.Second))
			}
			if at+n > len(pcm) { // the last frame may end within a step
				n = len(pcm) - at
			}
			checkStep(t, name, i, s, pcm[at:at+n], rate)
			at += n
		}
	}
	for i := 1; i < len(pcm); i++ {
		if d := int(pcm[i]) - int(pcm[i-1]); d > 9000 || d < -9000 {
			t.Fatalf("%s at %d Hz: a click of %d at %d ms", name, rate, d, i*1000/rate)
		}
	}
}

func checkStep(t *testing.T, name string, i int, s Step, pcm []int16, rate int) {
	t.Helper()
	fade := rate / 200
	if len(s.Hertz) == 0 {
		if slices.ContainsFunc(pcm, func(v int16) bool { return v != 0 }) {
			t.Errorf("%s at %d Hz: step %d is not silent", name, rate, i)
		}
		return
	}
	if len(pcm) < 8*fade {
		return
	}
	if first, last := dBm0(pcm[:fade/2]), dBm0(pcm[len(pcm)-fade/2:]); s.For > 0 && (first > s.Level-3 || last > s.Level-3) {
		t.Errorf("%s at %d Hz: step %d begins at %.1f and ends at %.1f dBm0", name, rate, i, first, last)
	}
	inner := pcm[fade : len(pcm)-fade]
	// Long enough to part 440 from 480 Hz; shorter ones have one frequency.
	for hz, want := range parts(s) {
		if s.Modulation > 0 && len(inner) < rate*3/10 {
			continue
		}
		if got := part(inner, rate, hz); math.Abs(got-want) > 0.5 {
			t.Errorf("%s at %d Hz: step %d has %.0f Hz at %.2f dBm0, want %.2f", name, rate, i, hz, got, want)
		}
		if len(inner) > rate/5 {
			if got := peak(inner, rate, hz); math.Abs(got-hz) > 0.35 {
				t.Errorf("%s at %d Hz: step %d has %.2f Hz, want %.0f", name, rate, i, got, hz)
			}
		}
	}
	if got := dBm0(inner); math.Abs(got-s.Level) > 0.35 {
		t.Errorf("%s at %d Hz: step %d at %.2f dBm0, want %.2f", name, rate, i, got, s.Level)
	}
	if s.Level > -5 || len(s.Hertz) == 1 && s.Level < -24 {
		t.Errorf("%s: %.1f dBm0 is outside what E.180 allows", name, s.Level)
	}
}

// What everybody knows by ear is as the standards say.
func TestWellKnownTones(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		code string
		kind Kind
		hz   []float64
		beat []time.Duration
	}{
		{"us", Ringback, []float64{440, 480}, []time.Duration{2000 * ms, 4000 * ms}},
		{"us", Busy, []float64{480, 620}, []time.Duration{500 * ms, 500 * ms}},
		{"us", Congestion, []float64{480, 620}, []time.Duration{250 * ms, 250 * ms}},
		{"de", Ringback, []float64{425}, []time.Duration{1000 * ms, 4000 * ms}},
		{"de", Busy, []float64{425}, []time.Duration{480 * ms, 480 * ms}},
		{"uk", Ringback, []float64{400, 450}, []time.Duration{400 * ms, 200 * ms, 400 * ms, 2000 * ms}},
		{"GB", Busy, []float64{400}, []time.Duration{375 * ms, 375 * ms}},
		{"fr", Ringback, []float64{440}, []time.Duration{1500 * ms, 3500 * ms}},
		{"jp", Congestion, []float64{400}, []time.Duration{500 * ms, 500 * ms}},
	} {
		s, err := ByCountry(c.code)
		if err != nil {
			t.Fatal(err)
		}
		got := s.Of(c.kind)
		var beat []time.Duration
		for _, st := range got {
			beat = append(beat, st.For)
		}
		if !slices.Equal(got[0].Hertz, c.hz) || !slices.Equal(beat, c.beat) {
			t.Errorf("%s %s: %v", c.code, c.kind, got)
		}
	}
}

func TestCountries(t *testing.T) {
	codes := Codes()
	if len(codes) < 40 || len(slices.Compact(slices.Clone(codes))) != len(codes) {
		t.Errorf("%d countries: %v", len(codes), codes)
	}
	for _, c := range codes {
		if len(c) != 2 || strings.ToLower(c) != c {
			t.Errorf("code %q", c)
		}
	}
	_, err := ByCountry("xx")
	if err == nil || !strings.Contains(err.Error(), `"xx"`) || !strings.Contains(err.Error(), "de, ") {
		t.Errorf("%v", err)
	}
}

// A tone that does not loop ends with its last step; one that loops does not.
func TestPlayerEnds(t *testing.T) {
	frame := make([]int16, 160)
	p := Beep(50*time.Millisecond, -10).Play(false)
	for i, want := range []bool{true, true, false, false} {
		if got := p.Frame(frame); got != want {
			t.Errorf("frame %d: more is %v", i, got)
		}
	}
	if p = (Tone{}).Play(true); p.Frame(frame) {
		t.Error("nothing goes on for ever")
	}
	p = Tone{{For: 10 * time.Millisecond, Hertz: []float64{400}, Level: -10}}.Play(true)
	for range 1000 {
		if !p.Frame(frame) {
			t.Fatal("a loop ends")
		}
	}
}

// A continuous tone does not change its level or pitch within ten minutes.
func TestNoDrift(t *testing.T) {
	p := of(350, 440).on().Play(true)
	frame := make([]int16, 160)
	for range 50 * 600 {
		p.Frame(frame)
	}
	tail := make([]int16, 8000)
	p.Frame(tail)
	if got := dBm0(tail); math.Abs(got-level) > 0.05 {
		t.Errorf("%.2f dBm0 after ten minutes", got)
	}
	if got := peak(tail, 8000, 350); math.Abs(got-350) > 0.2 {
		t.Errorf("%.2f Hz after ten minutes", got)
	}
}

func TestFrameDoesNotAllocate(t *testing.T) {
	p := british[4].Ringback.Play(true)
	frame := make([]int16, 160)
	if n := testing.AllocsPerRun(1000, func() { p.Frame(frame) }); n != 0 {
		t.Errorf("%.1f allocations a frame", n)
	}
	if n := testing.AllocsPerRun(100, func() { p.Tune(16000); p.Tune(8000) }); n != 0 {
		t.Errorf("%.1f allocations to tune", n)
	}
}

func BenchmarkFrame(b *testing.B) {
	p := precise[0].Ringback.Play(true)
	frame := make([]int16, 160)
	b.ReportAllocs()
	for b.Loop() {
		p.Frame(frame)
	}
}
