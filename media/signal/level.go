package signal

import "math"

// Overload is what 0 dBov is in dBm0: a full-scale sine is at -3.01 dBov
// (ITU-T G.100.1) and at +3.14 dBm0 (ITU-T G.711, A-law).
const Overload = 6.15

// Nothing is the level of digital silence, in dBm0.
const Nothing = -120.0

// Level is the level of samples in dBm0.
func Level(pcm []int16) float64 {
	if len(pcm) == 0 {
		return Nothing
	}
	var sum float64
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return ofPower(sum / float64(len(pcm)))
}

// Overloaded converts dBm0 to dBov.
func Overloaded(dBm0 float64) float64 { return dBm0 - Overload }

// ofPower is the level of a mean square, in dBm0.
func ofPower(p float64) float64 {
	const full = math.MaxInt16 * math.MaxInt16
	if p <= 0 {
		return Nothing
	}
	return max(Nothing, 10*math.Log10(p/full)+Overload)
}

// power is the mean square of a level in dBm0.
func power(dBm0 float64) float64 {
	return math.MaxInt16 * math.MaxInt16 * math.Pow(10, (dBm0-Overload)/10)
}

// Meter shows a level as the needle of an instrument does: it follows what it
// hears with a time constant of 125 ms. The zero value is ready.
type Meter struct {
	mean float64
	peak float64
}

// Write takes samples at a rate.
func (m *Meter) Write(rate int, pcm []int16) {
	step := 1 - math.Exp(-8/float64(rate))
	fall := math.Exp(-1 / float64(rate))
	for _, s := range pcm {
		p := float64(s) * float64(s)
		m.mean += (p - m.mean) * step
		m.peak = max(p, m.peak*fall)
	}
}

// Level is where the needle is, in dBm0.
func (m *Meter) Level() float64 { return ofPower(m.mean) }

// Peak is the largest sample of late, as a level in dBov: 0 is overload.
func (m *Meter) Peak() float64 { return ofPower(m.peak) - Overload }
