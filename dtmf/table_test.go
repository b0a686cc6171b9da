package dtmf

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"b2bua/media/codec"
)

// row is a line of the table of what a detector must do, and of how often it
// does: ITU-T Q.24, table A-1, and what telephone lines do to digits besides.
type row struct {
	name     string
	least    float64 // per cent of the digits
	most     float64
	strike   func(r *rand.Rand) strike
	disturb  func(s *sound, k strike, from, to int)
	lost     bool // the disturbance is told to the detector, as a lost packet
	again    bool // the key is pressed twice
	separate float64
}

func normal(ms float64) func(*rand.Rand) strike {
	return func(*rand.Rand) strike { return strike{ms: ms, low: -9, high: -7} }
}

func levels(low, high float64) func(*rand.Rand) strike {
	return func(*rand.Rand) strike { return strike{ms: 50, low: low, high: high} }
}

func noisy(snr float64) func(*sound, strike, int, int) {
	return func(s *sound, k strike, _, _ int) { s.noise(snr, k.low, k.high) }
}

func interrupted(s *sound, _ strike, from, to int) {
	at := from + s.r.IntN(to-from-80)
	s.erase(at, at+80)
}

// sign is up or down.
func sign(r *rand.Rand) float64 { return float64(2*r.IntN(2) - 1) }

var table = []row{
	{name: "40 ms on, 40 off", least: 100, most: 100, strike: normal(40), again: true, separate: 40},
	{name: "both tones 1.5 % off, 40 on, 40 off", least: 100, most: 100, again: true, separate: 40, strike: func(r *rand.Rand) strike {
		return strike{ms: 40, low: -9, high: -7, offLow: 0.015 * sign(r), offHigh: 0.015 * sign(r)}
	}},
	{name: "the same in noise 15 dB below, 50 ms", least: 100, most: 100, strike: func(r *rand.Rand) strike {
		return strike{ms: 50, low: -9, high: -7, offLow: 0.015 * sign(r), offHigh: 0.015 * sign(r)}
	}, disturb: noisy(15)},
	{name: "low tone 3.5 % off, 40 to 200 ms", most: 0, strike: func(r *rand.Rand) strike {
		return strike{ms: 40 + 160*r.Float64(), low: -9, high: -7, offLow: 0.035 * sign(r)}
	}},
	{name: "high tone 3.5 % off, 40 to 200 ms", most: 0, strike: func(r *rand.Rand) strike {
		return strike{ms: 40 + 160*r.Float64(), low: -9, high: -7, offHigh: 0.035 * sign(r)}
	}},
	{name: "20 ms", most: 0, strike: normal(20)},
	{name: "22 ms", most: 0, strike: normal(22)},
	{name: "24 ms", most: 0, strike: normal(24)},
	{name: "30 ms", most: 50, strike: normal(30)},
	{name: "10 ms interrupted, 50 ms", least: 100, most: 100, strike: normal(50), disturb: interrupted},
	{name: "10 ms interrupted, 60 ms", least: 100, most: 100, strike: normal(60), disturb: interrupted},
	{name: "10 ms interrupted, 70 to 100 ms", least: 100, most: 100,
		strike:  func(r *rand.Rand) strike { return strike{ms: 70 + 30*r.Float64(), low: -9, high: -7} },
		disturb: interrupted},
	{name: "20 ms packet lost of 60 ms", least: 100, most: 100, strike: normal(60), lost: true},
	{name: "20 ms packet lost of 100 ms", least: 100, most: 100, strike: normal(100), lost: true},
	{name: "packet lost, twice, 30 ms apart", least: 100, most: 100, strike: normal(50), again: true, separate: 30, lost: true},
	{name: "packet lost, twice, 40 ms apart", least: 100, most: 100, strike: normal(50), again: true, separate: 40, lost: true},
	{name: "same key twice, 40 ms apart", least: 100, most: 100, strike: normal(50), again: true, separate: 40},
	{name: "same key twice, 30 ms apart", least: 100, most: 100, strike: normal(50), again: true, separate: 30},
	{name: "low tone 8 dB louder", least: 100, most: 100, strike: levels(-8, -16)},
	{name: "high tone 4 dB louder", least: 100, most: 100, strike: levels(-12, -8)},
	{name: "low tone 12 dB louder", most: 0, strike: levels(-6, -18)},
	{name: "high tone 12 dB louder", most: 0, strike: levels(-18, -6)},
	{name: "0 dBm0 a tone, clipped", least: 100, most: 100, strike: levels(0, 0)},
	{name: "-3 dBm0 a tone", least: 100, most: 100, strike: levels(-3, -3)},
	{name: "-25 dBm0 a tone", least: 100, most: 100, strike: levels(-25, -25)},
	{name: "-39 dBm0 a tone", least: 100, most: 100, strike: levels(-39, -39)},
	{name: "-40 dBm0 a tone", least: 100, most: 100, strike: levels(-40, -40)},
	{name: "-40 dBm0 both together", least: 100, most: 100, strike: levels(-43, -43)},
	{name: "-50 dBm0 a tone", most: 0, strike: levels(-50, -50)},
	{name: "noise 12 dB below, 50 ms", least: 100, most: 100, strike: normal(50), disturb: noisy(12)},
	{name: "noise 9 dB below, 50 ms", least: 100, most: 100, strike: normal(50), disturb: noisy(9)},
	{name: "noise 6 dB below, 50 ms", least: 50, most: 100, strike: normal(50), disturb: noisy(6)},
}

var trials = flag.Int("trials", 160, "digits for each line of TestTable and each law")

// TestTable prints how often digits are heard as they should be:
//
//	go test -run TestTable -v ./dtmf -args -trials 4000
func TestTable(t *testing.T) {
	t.Logf("%-36s %9s %9s %9s", "", "must", "A-law", "mu-law")
	for i, c := range table {
		must := fmt.Sprintf("%.0f %%", c.least)
		if c.least < c.most && c.least == 0 || c.most == 0 {
			must = fmt.Sprintf("<= %.0f %%", c.most)
		} else if c.least < 100 {
			must = fmt.Sprintf("> %.0f %%", c.least)
		}
		var got [2]float64
		for j, law := range []string{codec.PCMA, codec.PCMU} {
			r := rand.New(rand.NewPCG(uint64(i), uint64(j)))
			right := 0
			for n := range *trials {
				if c.trial(r, law, symbols[n%16]) {
					right++
				}
			}
			got[j] = 100 * float64(right) / float64(*trials)
			if got[j] < c.least || got[j] > c.most {
				t.Errorf("%s, %s: %.2f %%, must be %.0f to %.0f", c.name, law, got[j], c.least, c.most)
			}
		}
		t.Logf("%-36s %9s %7.2f %% %7.2f %%", c.name, must, got[0], got[1])
	}
}

// trial presses the key once, or twice, and says whether that was heard.
func (c row) trial(r *rand.Rand, law string, key byte) bool {
	s := newSound(r)
	k := c.strike(r)
	k.key = key
	k.pauseAfter = c.separate
	from, to := s.press(k)
	want := string(key)
	if c.again {
		s.press(k)
		want += want
	}
	if c.disturb != nil {
		s.pause(40)
		c.disturb(s, k, from, to)
	}
	pcm := s.through(law)
	if !c.lost {
		return keysOf(hear(pcm)) == want
	}
	at := from + r.IntN(to-from-160)
	if c.again {
		// Half of it may be of a key: that leaves 40 ms.
		at = to - 80 + r.IntN(samples(c.separate)+1)
	}
	var d Detector
	told := d.Push(nil, pcm[:at])
	told = d.Gap(told, 160)
	told = d.Push(told, pcm[at+160:])
	return keysOf(d.Flush(told)) == want
}
