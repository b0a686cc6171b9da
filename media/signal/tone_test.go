package signal

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/zaf/g711"
	"pgregory.net/rapid"

	"b2bua/media/tone"
)

// sounding is so much of a tone at a level relative to its own, after silence.
func sounding(t tone.Tone, rate int, lead, d time.Duration, gain float64) []int16 {
	p := t.Play(true)
	p.Tune(rate)
	n := func(d time.Duration) int { return int(int64(d) * int64(rate) / int64(time.Second)) }
	out := make([]int16, n(lead)+n(d))
	p.Frame(out[n(lead):])
	g := math.Pow(10, gain/20)
	for i, s := range out {
		out[i] = int16(math.Round(float64(s) * g))
	}
	return out
}

// noisy adds white noise of a level in dBm0.
func noisy(pcm []int16, level float64, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 1))
	amplitude := math.Sqrt(power(level))
	out := make([]int16, len(pcm))
	for i, s := range pcm {
		out[i] = int16(max(math.MinInt16, min(math.MaxInt16, float64(s)+r.NormFloat64()*amplitude)))
	}
	return out
}

// aLaw is what the telephone network makes of samples.
func aLaw(pcm []int16) []int16 {
	out := make([]int16, len(pcm))
	for i, s := range pcm {
		out[i] = g711.DecodeAlawFrame(g711.EncodeAlawFrame(s))
	}
	return out
}

// hears lets a listener take sound frame by frame.
func hears(rate int, pcm []int16) *Listener {
	l := &Listener{}
	for at := 0; at < len(pcm); at += rate / 50 {
		l.Write(rate, pcm[at:min(at+rate/50, len(pcm))])
	}
	return l
}

// sense is what the table lets a tone mean: some countries use for busy what
// others use for congestion, and some begin one tone with the other.
func sense(t tone.Tone) map[tone.Kind]bool {
	kinds := map[tone.Kind]bool{}
	for _, s := range tone.Countries() {
		for _, k := range []tone.Kind{tone.Dial, tone.Ringback, tone.Busy, tone.Congestion} {
			o := s.Of(k)
			alike := len(o) >= 2
			for i := range min(len(o), 4) {
				a, b := o[i%len(o)], t[i%len(t)]
				alike = alike && math.Abs(float64(a.For-b.For)) <= float64(55*time.Millisecond) && len(a.Hertz) == len(b.Hertz)
				if alike && len(a.Hertz) > 0 {
					alike = math.Abs(a.Hertz[0]-b.Hertz[0]) < 30
				}
			}
			if alike {
				kinds[k] = true
			}
		}
	}
	return kinds
}

// Every tone of the table, at both rates, loud and soft, over a quiet line and a
// noisy one, is recognised within two of its cadences, for what it is, and its
// beginning is known.
func TestRecognisesTheTable(t *testing.T) {
	done, slowest := map[string]bool{}, 0.0
	cases := 0
	lines := []struct {
		rate        int
		gain, noise float64
	}{{8000, 0, -70}, {16000, 0, -70}, {16000, -12, -60}, {8000, -15, -60}, {8000, 8, -45}, {8000, 0, -45}}
	for _, c := range tone.Countries() {
		for _, k := range []tone.Kind{tone.Ringback, tone.Busy, tone.Congestion, tone.Dial} {
			s := c.Of(k)
			if id := fmt.Sprint(s); done[id] {
				continue
			} else {
				done[id] = true
			}
			for i, line := range lines {
				if (i+len(done))%2 == 0 {
					continue
				}
				cases++
				name := fmt.Sprintf("%s %s at %d Hz %+.0f dB over %.0f dBm0", c.Code, k, line.rate, line.gain, line.noise)
				lead, limit := 700*time.Millisecond, 2*s.Cycle()
				if s.Cycle() == 0 {
					limit = 3100 * time.Millisecond
				}
				pcm := aLaw(noisy(sounding(s, line.rate, lead, limit+200*time.Millisecond, line.gain), line.noise, uint64(i)))
				l := hears(line.rate, pcm)
				f, ok := l.Tone()
				if !ok {
					t.Errorf("%s: not recognised", name)
					continue
				}
				if want := sense(s); f.Kind != k && !want[f.Kind] {
					t.Errorf("%s: taken for %s", name, f.Kind)
				}
				if d := f.From - lead; d < -30*time.Millisecond || d > 30*time.Millisecond {
					t.Errorf("%s: begins at %v, not %v", name, f.From, lead)
				}
				took := float64(f.At-lead) / float64(limit)
				if slowest = max(slowest, took); took > 1.02 {
					t.Errorf("%s: took %v of two cadences of %v", name, f.At-lead, limit)
				}
				if f.Hertz < 350 || f.Hertz > 600 {
					t.Errorf("%s: %.0f Hz", name, f.Hertz)
				}
			}
		}
	}
	t.Logf("%d different tones, %d cases, the slowest after %.2f of two cadences", len(done), cases, slowest)
}

// A tone that begins behind speech, in the middle of its cadence, is recognised
// and known by its beginning; what was spoken until then is known too.
func TestToneBehindSpeech(t *testing.T) {
	all, err := spoken()
	if err != nil {
		t.Fatal(err)
	}
	say := narrow(levelled(all["flite slt"], -20))
	for _, code := range []string{"us", "de", "gb", "br", "in"} {
		set, err := tone.ByCountry(code)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []tone.Kind{tone.Busy, tone.Congestion, tone.Ringback} {
			s := set.Of(k)
			cut := int(s[0].For/time.Millisecond) * 8 * 2 / 3 // into the first pulse
			beats := sounding(s, 8000, 0, 3*s.Cycle()+time.Second, 0)[cut:]
			sound := aLaw(noisy(slices.Concat(say, make([]int16, 3200), beats), -60, 1))
			l := hears(8000, sound)
			f, ok := l.Tone()
			if !ok {
				t.Errorf("%s %s: not recognised", code, k)
				continue
			}
			began := time.Duration(len(say)+3200) * time.Second / 8000
			// The pulse that was cut is no whole one; the tone may be known from the next.
			if d := f.From - began; d < -30*time.Millisecond || d > s.Cycle() {
				t.Errorf("%s %s: begins at %v, not %v", code, k, f.From, began)
			}
			spoken, until := l.SpeechUntil(began), l.SpeechUntil(f.From)
			if whole := hears(8000, aLaw(noisy(say, -60, 1))).Speech(); spoken < whole-300*time.Millisecond || spoken > whole+300*time.Millisecond || until < spoken {
				t.Errorf("%s %s: %v of speech until %v, want %v", code, k, spoken, began, whole)
			}
		}
	}
}

// A tone that no country of the table has is known by its regularity.
func TestRecognisesOtherTones(t *testing.T) {
	for _, c := range []struct {
		hertz   []float64
		on, off int
		want    tone.Kind
	}{
		{[]float64{520}, 420, 420, tone.Busy}, {[]float64{600}, 180, 180, tone.Congestion},
		{[]float64{350, 620}, 600, 450, tone.Busy}, {[]float64{520}, 1300, 2600, tone.Ringback},
	} {
		on := tone.Step{For: time.Duration(c.on) * time.Millisecond, Hertz: c.hertz, Level: -18}
		s := tone.Tone{on, {For: time.Duration(c.off) * time.Millisecond}}
		f, ok := hears(8000, aLaw(noisy(sounding(s, 8000, time.Second, 3*s.Cycle()+time.Second, 0), -60, 2))).Tone()
		if !ok || f.Kind != c.want || !near(f.From.Seconds(), 1, 0.03) {
			t.Errorf("%v Hz %d/%d: %+v, %v", c.hertz, c.on, c.off, f, ok)
		}
	}
}

// What is no tone: one that is irregular, one that is too short or too high, one
// pulse, digits, and anything with a voice over it.
func TestOtherSoundsAreNoTone(t *testing.T) {
	sec := time.Second
	beep := func(hz float64, lengths ...time.Duration) (s tone.Tone) {
		for i, d := range lengths {
			if i%2 == 0 {
				s = append(s, tone.Step{For: d, Hertz: []float64{hz}, Level: -13})
			} else {
				s = append(s, tone.Step{For: d})
			}
		}
		return s
	}
	digits := tone.Tone{}
	for range 4 {
		digits = append(digits, tone.Step{For: sec / 10, Hertz: []float64{770, 1336}, Level: -8}, tone.Step{For: sec / 10})
	}
	for name, s := range map[string]tone.Tone{
		"irregular":   beep(425, sec/2, sec/2, sec/4, sec, sec, sec/4, sec/3, sec/2, sec, 2*sec),
		"high":        beep(1400, sec/2, sec/2),
		"very short":  beep(425, sec/20, sec/20),
		"slow":        beep(425, 5*sec, 5*sec),
		"one pulse":   beep(425, sec/2, 30*sec),
		"digits":      digits,
		"record tone": beep(1400, sec/2, 15*sec),
	} {
		f, ok := hears(8000, aLaw(noisy(sounding(s, 8000, sec, 25*sec, 0), -60, 3))).Tone()
		if ok && (name != "slow" || f.Kind != tone.Dial) { // five seconds without a pause are a dial tone
			t.Errorf("%s: taken for %s", name, f.Kind)
		}
	}
}

// However the samples are cut into pieces, the same is heard.
func TestPiecesDoNotMatter(t *testing.T) {
	set, err := tone.ByCountry("fr")
	if err != nil {
		t.Fatal(err)
	}
	for _, rate := range []int{8000, 16000} {
		pcm := noisy(sounding(set.Busy, rate, time.Second, 3*time.Second, 0), -55, 7)
		whole := hears(rate, pcm)
		rapid.Check(t, func(t *rapid.T) {
			l := &Listener{}
			for rest := pcm; len(rest) > 0; {
				n := min(rapid.IntRange(1, 5000).Draw(t, "piece"), len(rest))
				l.Write(rate, rest[:n])
				rest = rest[n:]
			}
			if l.found != whole.found || l.Speech() != whole.Speech() || l.Quiet() != whole.Quiet() || l.Heard() != whole.Heard() {
				t.Fatalf("%+v, whole %+v", l.found, whole.found)
			}
		})
	}
}

// The rate may change in the middle of a tone.
func TestRateChanges(t *testing.T) {
	set, err := tone.ByCountry("de")
	if err != nil {
		t.Fatal(err)
	}
	l := &Listener{}
	for i := range 4 {
		rate := 8000 * (1 + i%2)
		l.Write(rate, sounding(set.Busy, rate, 0, set.Busy.Cycle(), 0))
	}
	if f, ok := l.Tone(); !ok || f.Kind != tone.Busy || f.From > 20*time.Millisecond || l.Heard() != 4*set.Busy.Cycle() {
		t.Errorf("%+v, %v, heard %v", f, ok, l.Heard())
	}
}

func TestListenerDoesNotAllocate(t *testing.T) {
	set, err := tone.ByCountry("us")
	if err != nil {
		t.Fatal(err)
	}
	for _, rate := range []int{8000, 16000} {
		pcm := sounding(set.Busy, rate, 0, 4*time.Second, 0)
		l := hears(rate, pcm)
		if n := testing.AllocsPerRun(20, func() { l.Forget(); l.Write(rate, pcm) }); n != 0 {
			t.Errorf("%.1f allocations at %d Hz", n, rate)
		}
	}
}

// Levels are those of G.711: a full-scale sine is at +3.14 dBm0.
func TestLevels(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		pcm := make([]int16, rate)
		for i := range pcm {
			pcm[i] = int16(math.Round(math.MaxInt16 * math.Sin(2*math.Pi*1000*float64(i)/float64(rate))))
		}
		if got := Level(pcm); !near(got, 3.14, 0.02) || !near(Overloaded(got), -3.01, 0.02) {
			t.Errorf("%.2f dBm0", got)
		}
		var m Meter
		m.Write(rate, pcm)
		if got := m.Level(); !near(got, 3.14, 0.1) || !near(m.Peak(), 0, 0.1) {
			t.Errorf("the meter shows %.2f dBm0, peak %.2f dBov", got, m.Peak())
		}
		m.Write(rate, make([]int16, rate/8)) // one time constant
		if got := m.Level(); !near(got, 3.14-4.34, 0.1) {
			t.Errorf("the meter falls to %.2f dBm0", got)
		}
		m.Write(rate, make([]int16, 10*rate))
		if got := m.Level(); got > -100 {
			t.Errorf("the meter stays at %.2f dBm0", got)
		}
	}
	if Level(nil) != Nothing || Level(make([]int16, 10)) != Nothing {
		t.Error("silence has a level")
	}
}

// BenchmarkSecond is a second of sound: speech-like noise, and a busy tone.
func BenchmarkSecond(b *testing.B) {
	set, err := tone.ByCountry("us")
	if err != nil {
		b.Fatal(err)
	}
	for _, rate := range []int{8000, 16000} {
		for name, pcm := range map[string][]int16{
			"noise": noisy(make([]int16, rate), -20, 1), "busy": sounding(set.Busy, rate, 0, time.Second, 0),
		} {
			b.Run(fmt.Sprintf("%d/%s", rate, name), func(b *testing.B) {
				l := &Listener{}
				b.ReportAllocs()
				for b.Loop() {
					l.Write(rate, pcm)
					l.heard = false
				}
			})
		}
	}
}
