package dtmf

import (
	"math/rand/v2"
	"testing"

	"b2bua/media/codec"
)

// BenchmarkDetector takes one second of sound a turn, in frames of 20 ms.
func BenchmarkDetector(b *testing.B) {
	for name, pcm := range map[string][]int16{
		"silence": make([]int16, 80000), "noise": noiseFor(80000), "dialling": diallingFor(80000), "held": heldFor(80000, 0), "beside": heldFor(80000, 0.03),
	} {
		b.Run(name, func(b *testing.B) {
			var d Detector
			dst := make([]Press, 0, 8)
			at := 0
			b.ReportAllocs()
			for b.Loop() {
				for range 50 {
					dst = d.Push(dst[:0], pcm[at:at+160])
					at = (at + 160) % len(pcm)
				}
			}
		})
	}
}

func noiseFor(n int) []int16 {
	s := sound{r: rand.New(rand.NewPCG(1, 1)), pcm: make([]float64, n)}
	s.noise(0, -15, -15)
	return s.through(codec.PCMA)[:n]
}

// diallingFor is keys pressed without rest, five a second.
func diallingFor(n int) []int16 {
	s := newSound(rand.New(rand.NewPCG(1, 1)))
	for i := 0; len(s.pcm) < n; i++ {
		s.press(strike{key: symbols[i%16], ms: 100, low: -9, high: -7, pauseAfter: 100})
	}
	return s.through(codec.PCMA)[:n]
}

func heldFor(n int, off float64) []int16 {
	s := newSound(rand.New(rand.NewPCG(1, 1)))
	s.press(strike{key: '5', ms: float64(n) / 8, low: -9, high: -7, offLow: off})
	return s.through(codec.PCMA)[:n]
}
