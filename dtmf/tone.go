package dtmf

import "math"

// The row and column frequencies of ITU-T Q.23, in hertz, by event code.
var (
	rows    = [4]float64{697, 770, 852, 941}
	columns = [4]float64{1209, 1336, 1477, 1633}
	keypad  = [4]string{"123A", "456B", "789C", "*0#D"}
)

// Frequencies gives the two tones of a key.
func Frequencies(symbol byte) (low, high float64, ok bool) {
	code, ok := Code(symbol)
	if !ok {
		return 0, 0, false
	}
	for r, line := range keypad {
		for c := range line {
			if line[c] == symbols[code] {
				return rows[r], columns[c], true
			}
		}
	}
	return 0, 0, false
}

// Tone generates the tones of keys, for far ends without telephone-events. The
// zero value is ready.
type Tone struct {
	symbol byte
	at     int
}

// Amplitudes of -9 dBm0 for the low and -7 dBm0 for the high tone: the line's
// loss rises with frequency.
var (
	lowLevel  = dbm0(-9)
	highLevel = dbm0(-7)
)

// dbm0 is the amplitude of a sine in 16-bit samples; +3.14 dBm0 is full scale
// (ITU-T G.711).
func dbm0(level float64) float64 { return math.MaxInt16 * math.Pow(10, (level-3.14)/20) }

// Fill writes the next samples of the key's tones at 8 kHz; another key, or the
// same after Rest, begins anew.
func (t *Tone) Fill(dst []int16, symbol byte) {
	if symbol != t.symbol {
		t.symbol, t.at = symbol, 0
	}
	low, high, _ := Frequencies(symbol)
	for i := range dst {
		x := 2 * math.Pi * float64(t.at) / rate
		ramp := min(1, float64(t.at)/16)
		dst[i] = int16(ramp * (lowLevel*math.Sin(low*x) + highLevel*math.Sin(high*x)))
		t.at++
	}
}

// Rest ends the tone of a key.
func (t *Tone) Rest() { t.symbol = 0 }
