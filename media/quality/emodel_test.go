package quality

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = time.Millisecond

// Figures of the standard, and of its appendices, within what rounding allows.
func TestRating(t *testing.T) {
	for name, c := range map[string]struct {
		c    Conditions
		r    float64
		near float64
	}{
		"G.107 table 3: all at default":                     {Conditions{Codec: "PCMA"}, 93.2, 0.05},
		"G.107 §7.4: 100 ms, echo only":                     {Conditions{Codec: "PCMA", Delay: 100 * ms}, 91, 1.5},
		"G.114 figure 1: 150 ms":                            {Conditions{Codec: "PCMA", Delay: 150 * ms}, 89.5, 2},
		"G.114 figure 1: 250 ms":                            {Conditions{Codec: "PCMA", Delay: 250 * ms}, 80, 3},
		"G.114 figure 1: 400 ms":                            {Conditions{Codec: "PCMA", Delay: 400 * ms}, 66, 4},
		"G.113 table I.4: G.711 concealed, 1 % by chance":   {Conditions{Codec: "PCMU", Loss: 0.01, Concealed: true}, 93.2 - 95/26.1, 0.1},
		"G.113 table I.4: G.711 concealed, 5 % by chance":   {Conditions{Codec: "PCMU", Loss: 0.05, Concealed: true}, 93.2 - 475/30.1, 0.1},
		"G.113 table I.4: G.711 not concealed, 1 %":         {Conditions{Codec: "PCMU", Loss: 0.01}, 93.2 - 95/5.3, 0.1},
		"G.107 §7.5: bursts of twice the length, 5 %":       {Conditions{Codec: "PCMU", Loss: 0.05, Burst: 2, Concealed: true}, 93.2 - 475/27.6, 0.1},
		"everything lost, and a second late: nothing heard": {Conditions{Codec: "PCMU", Loss: 1, Delay: time.Second, Burst: 50}, 0, 0.1},
	} {
		if got := c.c.Rating(); math.Abs(got-c.r) > c.near {
			t.Errorf("%s: R = %.2f, want %.2f ± %.2f", name, got, c.r, c.near)
		}
	}
}

// G.107 annex B: table B.1 puts ratings beside scores.
func TestMOS(t *testing.T) {
	for _, c := range []struct{ loss, mos float64 }{{0, 4.41}, {0.01, 4.31}, {0.03, 4.05}, {0.1, 3.35}, {1, 1}} {
		got := Conditions{Codec: "PCMA", Loss: c.loss, Concealed: true}.MOS()
		t.Logf("%3.0f %% lost: %.2f", 100*c.loss, got)
		if math.Abs(got-c.mos) > 0.15 && c.loss < 1 || got < 1 || got > 4.5 {
			t.Errorf("%v lost: %.2f, want about %.2f", c.loss, got, c.mos)
		}
	}
}

// More of anything bad is never better, but for the first two milliseconds, in which
// the formula of the echo has its knee, and the scale is kept.
func TestWorseIsNotBetter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Conditions{
			Codec: rapid.SampledFrom([]string{"PCMA", "G722", "opus"}).Draw(t, "codec"),
			Delay: time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "delay")),
			Loss:  rapid.Float64Range(0, 1).Draw(t, "loss"), Burst: rapid.Float64Range(0, 20).Draw(t, "burst"),
			Concealed: rapid.Bool().Draw(t, "concealed"),
		}
		d := c
		d.Delay += time.Duration(rapid.Int64Range(int64(ms), int64(time.Second)).Draw(t, "more delay"))
		e := c
		e.Loss = min(1, c.Loss+rapid.Float64Range(0, 1).Draw(t, "more loss"))
		for _, worse := range []Conditions{d, e} {
			if worse.MOS() > c.MOS()+0.01 || c.MOS() < 1 || c.MOS() > 4.5 || math.IsNaN(c.MOS()) {
				t.Fatalf("%+v has %.3f, %+v has %.3f", c, c.MOS(), worse, worse.MOS())
			}
		}
	})
}
