package dtmf

import (
	"math"
	"math/cmplx"
	"time"
)

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

// Levels of the tones unless others are asked for, in dBm0: the line's loss
// rises with frequency, so the high tone is louder.
const (
	DefaultLow  = -9
	DefaultHigh = -7
)

// Tone generates the tones of keys, for far ends without telephone-events. The
// zero value is ready, at 8000 samples a second and the default levels.
type Tone struct {
	// Rate is samples a second; zero means 8000.
	Rate int
	// Low and High are the levels in dBm0; both zero means the defaults. What is
	// between them is the twist.
	Low, High float64

	symbol byte
	at     int
	phase  [2]complex128 // of the tones, one turn a period
}

// dbm0 is the amplitude of a sine in 16-bit samples; +3.14 dBm0 is full scale
// (ITU-T G.711).
func dbm0(level float64) float64 { return math.MaxInt16 * math.Pow(10, (level-3.14)/20) }

// ramp is how long tones take to come and to go, so that they do not click.
const ramp = 2 * time.Millisecond

// maxRamp is its samples at the highest rate there is.
const maxRamp = 96

// Fill writes the next samples of the key's tones; another key, or the same
// after Rest or Fade, begins anew. Hook flashes have no tones.
func (t *Tone) Fill(dst []int16, symbol byte) {
	if symbol == t.symbol {
		t.write(dst, math.MaxInt)
		return
	}
	last := *t
	t.begin(symbol)
	t.write(dst, math.MaxInt)
	if last.symbol != 0 {
		last.fadeInto(dst)
	}
}

func (t *Tone) begin(symbol byte) {
	t.symbol, t.at, t.phase = symbol, 0, [2]complex128{1, 1}
}

// fadeInto adds the end of the tones to what is in dst.
func (t *Tone) fadeInto(dst []int16) {
	var end [maxRamp]int16
	n := min(len(dst), maxRamp, int(ramp.Seconds()*t.rate()))
	t.write(end[:n], 0)
	for i, v := range end[:n] {
		dst[i] = int16(max(math.MinInt16, min(math.MaxInt16, int(dst[i])+int(v))))
	}
}

// Fade ends the tone of a key without a click, in dst, of which the rest is
// silence.
func (t *Tone) Fade(dst []int16) {
	t.write(dst, 0)
	t.symbol = 0
}

// Rest ends the tone of a key.
func (t *Tone) Rest() { t.symbol = 0 }

// write goes on with the tones, and fades them out from sample n.
func (t *Tone) write(dst []int16, n int) {
	low, high, ok := Frequencies(t.symbol)
	if !ok {
		clear(dst)
		return
	}
	a, b := t.Low, t.High
	if a == 0 && b == 0 {
		a, b = DefaultLow, DefaultHigh
	}
	a, b = dbm0(a), dbm0(b)
	rate := t.rate()
	slope := 1 / (ramp.Seconds() * rate)
	// Turning a point costs a tenth of a sine, and in 64 bits it goes astray by
	// less than a millionth in a day.
	turn := [2]complex128{cmplx.Rect(1, 2*math.Pi*low/rate), cmplx.Rect(1, 2*math.Pi*high/rate)}
	p, q := t.phase[0], t.phase[1]
	for i := range dst {
		gain := min(1, float64(t.at)*slope)
		if i >= n {
			gain = min(gain, max(0, 1-float64(i-n+1)*slope))
		}
		v := gain * (a*imag(p) + b*imag(q))
		dst[i] = int16(max(math.MinInt16, min(math.MaxInt16, math.Round(v))))
		t.at++
		p, q = p*turn[0], q*turn[1]
	}
	t.phase = [2]complex128{p, q}
}

func (t *Tone) rate() float64 {
	if t.Rate == 0 {
		return toneRate
	}
	return float64(t.Rate)
}

// Append writes keys one after the other, each for duration and followed by gap;
// zero means the defaults.
func (t *Tone) Append(dst []int16, digits string, duration, gap time.Duration) []int16 {
	if duration == 0 {
		duration = DefaultDuration
	}
	if gap == 0 {
		gap = DefaultGap
	}
	samples := func(d time.Duration) int { return int(d.Seconds() * t.rate()) }
	for i := range len(digits) {
		at := len(dst)
		key := samples(duration)
		dst = append(dst, make([]int16, key+samples(gap))...)
		t.begin(digits[i])
		t.write(dst[at:], key-samples(ramp))
	}
	t.Rest()
	return dst
}
