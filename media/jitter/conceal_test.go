package jitter

import (
	"math"
	"testing"
)

func sine(from, n int, hz float64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(10000 * math.Sin(2*math.Pi*hz*float64(from+i)/8000))
	}
	return pcm
}

func rms(pcm []int16) float64 {
	var sum float64
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return math.Sqrt(sum / float64(len(pcm)))
}

// A lost frame of a voiced sound goes on at its pitch; a long gap is silent
// after 60 ms, and nothing of the past comes back.
func TestConceal(t *testing.T) {
	var c Concealer
	c.Good(sine(0, 320, 200))
	gap := make([]int16, 160)
	c.Fill(gap)
	want := sine(320, 160, 200)
	var off float64
	for i := range gap {
		d := float64(gap[i]) - float64(want[i])
		off += d * d
	}
	if off = math.Sqrt(off / 160); off > 0.2*rms(want) {
		t.Errorf("the first frame is off by %.0f of %.0f", off, rms(want))
	}
	c.Fill(gap)
	if r := rms(gap) / rms(want); r < 0.4 || r > 0.9 {
		t.Errorf("the second frame is at %.2f", r)
	}
	c.Fill(gap)
	c.Fill(gap)
	if rms(gap) != 0 {
		t.Errorf("still %.0f after 80 ms", rms(gap))
	}
	good := sine(0, 160, 200)
	c.Good(good)
	if good[0] != 0 || good[159] != sine(0, 160, 200)[159] {
		t.Error("what follows is bent beyond the blend")
	}
}

// No step at the seams is larger than the sound itself makes.
func TestConcealHasNoClicks(t *testing.T) {
	var c Concealer
	var all []int16
	for frame := range 50 {
		pcm := sine(frame*160, 160, 311)
		if frame%7 == 3 {
			c.Fill(pcm)
		} else {
			c.Good(pcm)
		}
		all = append(all, pcm...)
	}
	for i := 1; i < len(all); i++ {
		if d := math.Abs(float64(all[i]) - float64(all[i-1])); d > 4500 {
			t.Errorf("step of %.0f at sample %d", d, i)
		}
	}
}

func TestConcealNothing(t *testing.T) {
	var c Concealer
	gap := make([]int16, 160)
	c.Fill(gap)
	if rms(gap) != 0 {
		t.Error("sound out of nothing")
	}
	if n := testing.AllocsPerRun(100, func() { c.Good(gap); c.Fill(gap) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
