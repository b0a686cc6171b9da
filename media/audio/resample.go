package audio

import "math"

// Resampler converts a stream of samples from one rate to another through a
// polyphase filter with a Kaiser window: flat to 85 % of the lower Nyquist
// frequency, at least 90 dB down from that frequency on.
type Resampler struct {
	bank  *filterBank
	lead  int       // of the delay, what is taken out, in 1/up of an input sample
	hist  []float32 // the last taps-1 inputs, then what was pushed
	phase int       // of the next output, in 1/up of an input sample
	next  int       // index into hist of the newest input of the next output
	in    int64     // inputs seen
	out   int64     // outputs made
}

// longestPush is how many samples, 60 ms at 48 kHz, are pushed without taking
// memory.
const longestPush = 2880

// NewResampler makes a converter between two rates in hertz, for sound that is
// all there. Its delay is taken out: sample n of the output is where sample
// n·from/to of the input was.
func NewResampler(from, to int) *Resampler {
	b := bankFor(from, to)
	return newResampler(b, b.delay)
}

// NewStream makes a converter for sound on its way. What is pushed gives as many
// samples as it lasts, and at once, rounded over the stream and never adrift;
// they are late by half the filter, which is 5 ms between 8 and 16 kHz.
func NewStream(from, to int) *Resampler {
	return newResampler(bankFor(from, to), 0)
}

func newResampler(b *filterBank, lead int) *Resampler {
	r := &Resampler{bank: b, lead: lead}
	r.hist = make([]float32, 0, b.taps+longestPush)
	r.Reset()
	return r
}

// Reset forgets everything that was pushed.
func (r *Resampler) Reset() {
	b := r.bank
	r.hist = r.hist[:b.taps-1]
	clear(r.hist)
	// The first output sits so far behind the first input.
	r.phase = r.lead % b.up
	r.next = b.taps - 1 + r.lead/b.up
	r.in, r.out = 0, 0
}

// Push converts src and appends what can be told already to dst. What takes the
// delay out keeps the last few milliseconds back, until more comes or Flush.
func (r *Resampler) Push(dst, src []int16) []int16 {
	r.in += int64(len(src))
	for _, s := range src {
		r.hist = append(r.hist, float32(s))
	}
	dst = r.convert(dst)
	// Keep only what the next output needs.
	if cut := min(r.next-(r.bank.taps-1), len(r.hist)); cut > 0 {
		r.hist = r.hist[:copy(r.hist, r.hist[cut:])]
		r.next -= cut
	}
	return dst
}

// Flush appends the rest, so that in all in·to/from samples (rounded up) have
// come out, and starts anew.
func (r *Resampler) Flush(dst []int16) []int16 {
	b := r.bank
	want := (r.in*int64(b.up) + int64(b.down) - 1) / int64(b.down)
	start := len(dst)
	missing := want - r.out
	r.hist = append(r.hist, make([]float32, b.taps+r.lead/b.up+1)...)
	dst = r.convert(dst)
	if int64(len(dst)-start) > missing {
		dst = dst[:start+int(missing)]
	}
	r.Reset()
	return dst
}

func (r *Resampler) convert(dst []int16) []int16 {
	b := r.bank
	for r.next < len(r.hist) {
		at := r.hist[r.next-b.taps+1 : r.next+1]
		dst = append(dst, round16(dot(at, b.phases[r.phase])))
		r.out++
		r.phase += b.down
		r.next += r.phase / b.up
		r.phase %= b.up
	}
	return dst
}

// dot is the inner loop: four sums, because one would wait for itself.
func dot(x, h []float32) float32 {
	var a, b, c, d float32
	x = x[:len(h)]
	for len(h) >= 4 && len(x) >= 4 {
		a += x[0] * h[0]
		b += x[1] * h[1]
		c += x[2] * h[2]
		d += x[3] * h[3]
		x, h = x[4:], h[4:]
	}
	return (a + b) + (c + d)
}

func round16(v float32) int16 {
	switch {
	case v >= math.MaxInt16:
		return math.MaxInt16
	case v <= math.MinInt16:
		return math.MinInt16
	case v < 0:
		return int16(v - 0.5)
	}
	return int16(v + 0.5)
}
