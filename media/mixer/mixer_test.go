package mixer

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// model is a mixer that does everything the long way round, for parties of one
// rate that put a frame every tick.
type model struct {
	p     *Party
	said  []int16 // in this tick, edges and all
	talks bool    // it did so in the last tick
	muted bool
	heard bool // it has heard before
}

// Whoever comes, goes, is muted: every party hears exactly the sum of what the
// others say, of which the edges of 5 ms are known, and nothing of itself.
func TestEveryoneHearsTheOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]int{8000, 16000}).Draw(t, "rate")
		n, edge := rate/50, rate/200
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var m Mixer
		var all []*model
		for range rapid.IntRange(1, 40).Draw(t, "ticks") {
			for _, do := range rapid.SliceOfN(rapid.IntRange(0, 5), 0, 3).Draw(t, "do") {
				switch {
				case do <= 2 && len(all) < 9:
					all = append(all, &model{p: m.Join(rate)})
				case do == 3 && len(all) > 0:
					x := all[r.IntN(len(all))]
					x.muted = !x.muted
					x.p.Mute(x.muted)
				}
			}
			var leaves *model
			if len(all) > 0 && rapid.IntRange(0, 9).Draw(t, "leave") == 0 {
				leaves = all[r.IntN(len(all))]
				leaves.p.Leave()
			}
			for _, x := range all {
				x.said = make([]int16, n)
				for i := range x.said {
					x.said[i] = int16(r.IntN(7000) - 3500) // nine of them fit 16 bits
				}
				x.p.Put(x.said)
				says := !x.muted && x != leaves
				for i := range x.said {
					switch {
					case says && !x.talks && i < edge:
						x.said[i] = int16(int(x.said[i]) * i / edge)
					case !says && x.talks && i < edge:
						x.said[i] = int16(int(x.said[i]) * (edge - i) / edge)
					case !says:
						x.said[i] = 0
					}
				}
				x.talks = says
			}
			m.Mix()
			for _, x := range all {
				got := make([]int16, n)
				m.Hear(x.p, got)
				for i := range got {
					want := 0
					for _, y := range all {
						if y != x {
							want += int(y.said[i])
						}
					}
					if !x.heard && i < edge {
						want = want * i / edge
					}
					if int(got[i]) != want {
						t.Fatalf("sample %d is %d, want %d of %d parties", i, got[i], want, len(all))
					}
				}
				x.heard = true
			}
			if leaves != nil {
				all = slices.DeleteFunc(all, func(x *model) bool { return x == leaves })
			}
			if m.Parties() != len(all) {
				t.Fatalf("%d parties, want %d", m.Parties(), len(all))
			}
		}
	})
}

// sine is a frame of a tone.
func sine(rate, tick int, hz, amplitude float64) []int16 {
	pcm := make([]int16, rate/50)
	for i := range pcm {
		pcm[i] = int16(math.Round(amplitude * math.Sin(2*math.Pi*hz*float64(tick*len(pcm)+i)/float64(rate))))
	}
	return pcm
}

// level is how strong a frequency is, as an amplitude.
func level(pcm []int16, rate int, hz float64) float64 {
	var re, im, sum float64
	for i, s := range pcm {
		w := 1 - math.Cos(2*math.Pi*float64(i)/float64(len(pcm)))
		sin, cos := math.Sincos(2 * math.Pi * hz * float64(i) / float64(rate))
		re, im, sum = re+w*cos*float64(s), im+w*sin*float64(s), sum+w
	}
	return 2 * math.Hypot(re, im) / sum
}

func dB(ratio float64) float64 { return 20 * math.Log10(ratio+1e-12) }

// Parties of both rates hear each other at the right level, wide ones each other
// in full width, nobody itself, and what narrow ones cannot hear does not fold
// into what they can.
func TestBothRates(t *testing.T) {
	var m Mixer
	rates := []int{8000, 16000, 16000, 8000}
	tones := []float64{700, 1500, 6200, 2300}
	parties := make([]*Party, len(rates))
	heard := make([][]int16, len(rates))
	for i, r := range rates {
		parties[i] = m.Join(r)
	}
	for tick := range 60 {
		for i, p := range parties {
			p.Put(sine(rates[i], tick, tones[i], 6000))
		}
		m.Mix()
		for i, p := range parties {
			f := make([]int16, rates[i]/50)
			m.Hear(p, f)
			heard[i] = append(heard[i], f...)
		}
	}
	for i, pcm := range heard {
		pcm = pcm[len(pcm)/6:]
		for k, hz := range tones {
			got := dB(level(pcm, rates[i], hz) / 6000)
			switch {
			case i == k && got > -80:
				t.Errorf("party %d hears itself at %.1f dB", i, got)
			case i != k && rates[i] == 8000 && hz > 4000:
				if got = dB(level(pcm, 8000, 8000-hz) / 6000); got > -80 {
					t.Errorf("party %d hears %.0f Hz at %.0f, %.1f dB", i, hz, 8000-hz, got)
				}
			case i != k && math.Abs(got) > 0.05:
				t.Errorf("party %d hears party %d at %.2f dB", i, k, got)
			}
			if rates[i] == 16000 && rates[k] == 8000 { // no image above 4 kHz
				if got := dB(level(pcm, 16000, 8000-hz) / 6000); got > -80 {
					t.Errorf("party %d hears an image of %.0f Hz at %.1f dB", i, hz, got)
				}
			}
		}
	}
}

// Ten who shout at once are turned down, not cut off: what is heard is the sum,
// softer, with little else; and the level comes back.
func TestLoudSumsAreNotDistorted(t *testing.T) {
	var m Mixer
	const rate = 8000
	tones := []float64{310, 470, 590, 730, 1010, 1270, 1490, 1730, 1990, 2210}
	var all []*Party
	for range tones {
		all = append(all, m.Join(rate))
	}
	listener := m.Join(rate)
	var heard []int16
	for tick := range 200 {
		for i, p := range all {
			if tick < 100 || i == 0 {
				p.Put(sine(rate, tick, tones[i], 9000))
			}
		}
		m.Mix()
		f := make([]int16, narrow)
		m.Hear(listener, f)
		heard = append(heard, f...)
	}
	// A second of the middle, and what in it is none of the ten.
	loud := heard[rate/2 : rate/2+rate]
	var all2, ten float64
	for _, s := range loud {
		all2 += float64(s) * float64(s) / float64(len(loud))
	}
	for _, hz := range tones {
		a := level(loud, rate, hz)
		ten += a * a / 2
	}
	if rest := 10 * math.Log10((all2-ten)/all2); rest > -22 {
		t.Errorf("distortion at %.1f dB", rest)
	} else {
		t.Logf("ten shouting: distortion at %.1f dB", rest)
	}
	if got := dB(level(heard[len(heard)-rate/2:], rate, tones[0]) / 9000); math.Abs(got) > 0.01 {
		t.Errorf("the level stays at %.2f dB", got)
	}
}

// A steady sound that is too loud becomes exactly as loud as fits, without
// distortion.
func TestLimiter(t *testing.T) {
	for _, over := range []float64{1.05, 1.5, 3, 10} {
		var l Limiter
		pcm := make([]int16, 16000)
		for i := range pcm {
			pcm[i] = l.Limit(int32(over * 32767 * math.Sin(2*math.Pi*437*float64(i)/8000)))
		}
		tail := pcm[8000:]
		var sum float64
		for _, s := range tail {
			sum += float64(s) * float64(s) / float64(len(tail))
		}
		a := level(tail, 8000, 437)
		rest := 10 * math.Log10(math.Max((sum-a*a/2)/sum, 1e-12))
		t.Logf("%.1f dB too loud: distortion at %.0f dB", dB(over), rest)
		if rest > -60 || dB(a/32767) < -0.5 {
			t.Errorf("%.1f dB too loud: %.1f dB, distortion at %.1f dB", dB(over), dB(a/32767), rest)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		var l Limiter
		for _, v := range rapid.SliceOf(rapid.Int32()).Draw(t, "sum") {
			got := l.Limit(v)
			if v > 0 && got < 0 || v < 0 && got > 0 || got == math.MinInt16 && v > math.MinInt16 {
				t.Fatalf("%d of %d", got, v)
			}
		}
	})
}

// Frames that come late or at once: a stall is made up for, and leaves no delay
// behind; a party that stops fades away.
func TestCatchesUp(t *testing.T) {
	var m Mixer
	a, b := m.Join(8000), m.Join(8000)
	f := make([]int16, narrow)
	tick := 0
	for range 10 { // as usual
		a.Put(sine(8000, tick, 500, 8000))
		tick++
		m.Mix()
		m.Hear(b, f)
	}
	for range 4 { // the machine stalls for 80 ms, then all happens at once
		a.Put(sine(8000, tick, 500, 8000))
		tick++
	}
	for range 4 {
		m.Mix()
		m.Hear(b, f)
		if !slices.Equal(f, sine(8000, tick-4, 500, 8000)) && a.n > 3 {
			t.Error("a frame is missing")
		}
	}
	if a.n != 0 {
		t.Errorf("%d frames wait", a.n)
	}
	for range 3 { // three too many
		a.Put(sine(8000, tick, 500, 8000))
		tick++
	}
	last := int(f[narrow-1])
	for i := range 4 * patience {
		a.Put(sine(8000, tick, 500, 8000))
		tick++
		m.Mix()
		m.Hear(b, f)
		for _, s := range f {
			if d := int(s) - last; d > 3500 || d < -3500 {
				t.Fatalf("a click of %d after %d ticks", d, i)
			}
			last = int(s)
		}
	}
	if a.n > 0 {
		t.Errorf("%d frames still wait", a.n)
	}
	m.Mix() // nothing comes
	m.Hear(b, f)
	if d := int(f[0]) - last; d > 600 || d < -600 || f[narrow/4] != 0 || f[narrow-1] != 0 {
		t.Errorf("ends with a click: %v", f[:narrow/4])
	}
	for range 2 * queued { // nobody takes anything
		a.Put(sine(8000, tick, 500, 8000))
	}
	if a.n != queued {
		t.Errorf("%d frames wait", a.n)
	}
}

func TestMixDoesNotAllocate(t *testing.T) {
	m, parties, frames := room(5)
	dst := make([]int16, wide)
	if n := testing.AllocsPerRun(200, func() { turn(m, parties, frames, dst) }); n != 0 {
		t.Errorf("%.1f allocations a tick", n)
	}
}

// room is a mixer with parties of both rates.
func room(n int) (*Mixer, []*Party, [][]int16) {
	m := &Mixer{}
	var parties []*Party
	var frames [][]int16
	for i := range n {
		rate := 8000 << (i % 2)
		parties = append(parties, m.Join(rate))
		frames = append(frames, sine(rate, 0, 300+100*float64(i), 5000))
	}
	return m, parties, frames
}

func turn(m *Mixer, parties []*Party, frames [][]int16, dst []int16) {
	for i, p := range parties {
		p.Put(frames[i])
	}
	m.Mix()
	for _, p := range parties {
		m.Hear(p, dst[:p.frame()])
	}
}

// BenchmarkSecond is a second of a room: fifty ticks.
func BenchmarkSecond(b *testing.B) {
	for _, n := range []int{3, 10, 100} {
		b.Run(map[int]string{3: "3 parties", 10: "10 parties", 100: "100 parties"}[n], func(b *testing.B) {
			m, parties, frames := room(n)
			dst := make([]int16, wide)
			b.ReportAllocs()
			for b.Loop() {
				for range 50 {
					turn(m, parties, frames, dst)
				}
			}
		})
	}
}
