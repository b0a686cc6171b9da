package dtmf

import (
	"math"
	"math/rand/v2"

	"b2bua/media/codec"
)

// strike is one key in a sound of the tests, made without the generator: both
// could be wrong in the same way.
type strike struct {
	key        byte
	ms         float64
	low, high  float64 // levels in dBm0 of each tone
	offLow     float64 // how far beside the frequency, 0.015 for 1.5 %
	offHigh    float64
	pauseAfter float64 // ms
}

// sound is made sample by sample, and remembers where something was.
type sound struct {
	r   *rand.Rand
	pcm []float64
}

func newSound(r *rand.Rand) *sound {
	s := &sound{r: r}
	// Blocks begin anywhere in a key.
	s.pause(60 + 40*r.Float64())
	return s
}

func samples(ms float64) int { return int(math.Round(ms * 8)) }

func (s *sound) pause(ms float64) { s.pcm = append(s.pcm, make([]float64, samples(ms))...) }

func amplitude(dbm0 float64) float64 { return 32767 * math.Pow(10, (dbm0-3.14)/20) }

func (s *sound) press(k strike) (from, to int) {
	low, high, _ := Frequencies(k.key)
	low, high = low*(1+k.offLow), high*(1+k.offHigh)
	p, q := 2*math.Pi*s.r.Float64(), 2*math.Pi*s.r.Float64()
	a, b := amplitude(k.low), amplitude(k.high)
	from = len(s.pcm)
	for i := range samples(k.ms) {
		t := 2 * math.Pi * float64(i) / 8000
		s.pcm = append(s.pcm, a*math.Sin(low*t+p)+b*math.Sin(high*t+q))
	}
	to = len(s.pcm)
	s.pause(k.pauseAfter)
	return from, to
}

// noise adds white noise, as many decibels below the two tones together.
func (s *sound) noise(snr, low, high float64) {
	power := (math.Pow(amplitude(low), 2) + math.Pow(amplitude(high), 2)) / 2
	sigma := math.Sqrt(power / math.Pow(10, snr/10))
	for i := range s.pcm {
		s.pcm[i] += sigma * s.r.NormFloat64()
	}
}

func (s *sound) erase(from, to int) { clear(s.pcm[from:to]) }

// through sends the sound through a G.711 law.
func (s *sound) through(law string) []int16 {
	s.pause(100)
	pcm := make([]int16, len(s.pcm))
	for i, v := range s.pcm {
		pcm[i] = int16(max(-32768, min(32767, math.Round(v))))
	}
	return g711(pcm, law)
}

func g711(pcm []int16, law string) []int16 {
	c, ok := codec.New(law)
	if !ok {
		panic(law)
	}
	b := make([]byte, len(pcm))
	c.Encode(b, pcm)
	c.Decode(pcm, b)
	return pcm
}

// hear gives what a new detector tells of a sound.
func hear(pcm []int16) []Press {
	var d Detector
	var told []Press
	for len(pcm) > 0 {
		n := min(160, len(pcm))
		told = d.Push(told, pcm[:n])
		pcm = pcm[n:]
	}
	return d.Flush(told)
}

func keysOf(told []Press) string {
	var b []byte
	for _, p := range told {
		b = append(b, p.Symbol)
	}
	return string(b)
}
