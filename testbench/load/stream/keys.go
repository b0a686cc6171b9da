package stream

import "math"

// keys recognises keys pressed as tones, simply: the streams here are clean. It
// takes sound by the 20 ms.
type keys struct {
	heard []byte
	last  byte // of the window before; 0: none
	runs  int  // windows of the same key so far
}

const (
	keyLevel = -30.0 // dBm0 that both tones must have
	purely   = 0.7   // of the power must be in them
	keyRuns  = 2     // windows that make a key
)

var keyPower = power(keyLevel)

func (k *keys) window(pcm []int16, rate int) {
	key := keyOf(pcm, rate)
	if key != k.last {
		k.last, k.runs = key, 0
	}
	if k.runs++; k.runs == keyRuns && key != 0 {
		k.heard = append(k.heard, key)
	}
}

func keyOf(pcm []int16, rate int) byte {
	row, low := strongest(pcm, rate, lowTones[:])
	column, high := strongest(pcm, rate, highTones[:])
	if min(low, high) < keyPower || low+high < purely*meanSquare(pcm) {
		return 0
	}
	return keypad[row][column]
}

func strongest(pcm []int16, rate int, tones []float64) (at int, most float64) {
	for i, f := range tones {
		if p := goertzel(pcm, f, rate); p > most {
			at, most = i, p
		}
	}
	return at, most
}

// goertzel is the mean square of one frequency in pcm.
func goertzel(pcm []int16, freq float64, rate int) float64 {
	turn := 2 * math.Cos(2*math.Pi*freq/float64(rate))
	var a, b float64
	for _, s := range pcm {
		a, b = float64(s)+turn*a-b, a
	}
	n := float64(len(pcm))
	return 2 * (a*a + b*b - turn*a*b) / (n * n)
}

func meanSquare(pcm []int16) float64 {
	var sum float64
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return sum / float64(len(pcm))
}

// power is the mean square of a sine of a level, level the other way round.
func power(level float64) float64 { a := amplitude(level); return a * a / 2 }

func level(meanSquare float64) float64 {
	const floor = 1e-3
	return 10*math.Log10(max(meanSquare, floor)/(32767.0*32767/2)) + loudest
}
