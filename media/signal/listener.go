package signal

import (
	"time"

	"b2bua/media/tone"
)

const (
	hopTime    = 10 * time.Millisecond
	baseRate   = 8000
	hopSamples = baseRate / 100
)

// Found is a call-progress tone that was recognised.
type Found struct {
	Kind tone.Kind
	From time.Duration // when it began
	At   time.Duration // when it was recognised
	// Hertz is the middle of the frequencies that it is made of.
	Hertz float64
}

// Listener listens to one side of a call. The zero value is ready.
type Listener struct {
	rate   int
	buf    [2 * hopSamples]float32
	filled int

	wide, low, lower halver
	base             [hopSamples]float32
	half             [hopSamples / 2]float32
	quarter          [lowHop]float32

	hops   int64
	dc     float32
	voice  voice
	speech int64 // hops of speech
	silent int64 // hops since somebody spoke
	past   [pastSpans]int64

	// Power of the last hops, below 1 kHz and in all.
	inside, outside [looks]float64

	probe  probe
	pulses pulses
	found  Found
	heard  bool
}

const (
	// Speech up to any time of the last 25 s is remembered to 100 ms.
	pastSpans = 256
	pastHops  = 10
)

// Write takes samples at 8 or 16 kHz, in pieces of any length. The rate may
// change between two pieces.
func (l *Listener) Write(rate int, pcm []int16) {
	if rate != l.rate {
		l.rate, l.filled = rate, 0
	}
	size := hopSamples
	if rate == 2*baseRate {
		size *= 2
	}
	for len(pcm) > 0 {
		n := min(len(pcm), size-l.filled)
		for i, s := range pcm[:n] {
			l.buf[l.filled+i] = float32(s)
		}
		pcm = pcm[n:]
		if l.filled += n; l.filled == size {
			l.filled = 0
			l.hop(l.buf[:size])
		}
	}
}

// hop works on 10 ms.
func (l *Listener) hop(x []float32) {
	base := l.base[:]
	if len(x) > hopSamples {
		l.wide.halve(base, x)
	} else {
		copy(base, x)
	}
	// What does not move is no sound.
	var sum float64
	for i, v := range base {
		l.dc += (v - l.dc) * (1.0 / 64)
		base[i] = v - l.dc
		sum += float64(base[i]) * float64(base[i])
	}
	p := sum / hopSamples
	l.low.halve(l.half[:], base)
	l.lower.halve(l.quarter[:], l.half[:])
	l.listen(p)
	l.follow(p)
	l.hops++
}

// listen looks for a voice.
func (l *Listener) listen(p float64) {
	if l.hops%pastHops == 0 {
		l.past[l.hops/pastHops%pastSpans] = l.speech
	}
	if l.voice.hop(p) {
		l.speech++
	}
	l.silent++
	if l.voice.loud {
		l.silent = 0
	}
}

// follow looks for a tone.
func (l *Listener) follow(p float64) {
	var low float64
	for _, v := range l.quarter {
		low += float64(v) * float64(v)
	}
	r := l.probe.hop(&l.quarter)
	l.inside[l.hops%looks], l.outside[l.hops%looks] = low/lowHop, p
	var in, all float64
	for i := range looks {
		in, all = in+l.inside[i], all+l.outside[i]
	}
	if in < inBand*all {
		r.rest = 1
	}
	if !l.pulses.hop(l.hops, p, r) || l.heard {
		return
	}
	if f, ok := l.pulses.recognise(); ok {
		f.At = l.Heard() + hopTime
		l.found, l.heard = f, true
	}
}

// inBand is how much of a tone lies where tones are looked for.
const inBand = 0.6

// Heard is how much has been listened to.
func (l *Listener) Heard() time.Duration { return time.Duration(l.hops) * hopTime }

// Speech is how much of it somebody spoke.
func (l *Listener) Speech() time.Duration { return time.Duration(l.speech) * hopTime }

// SpeechUntil is how much was spoken until a time of the last 25 s.
func (l *Listener) SpeechUntil(at time.Duration) time.Duration {
	span := int64(at / (pastHops * hopTime))
	if last := l.hops / pastHops; span < 0 || span > last || last-span >= pastSpans {
		return l.Speech()
	}
	return time.Duration(l.past[span%pastSpans]) * hopTime
}

// Speaking tells whether somebody speaks, short pauses included.
func (l *Listener) Speaking() bool { return l.voice.hold > 0 }

// Quiet is for how long nobody has spoken.
func (l *Listener) Quiet() time.Duration { return time.Duration(l.silent) * hopTime }

// Tone is the first call-progress tone that was recognised.
func (l *Listener) Tone() (Found, bool) { return l.found, l.heard }

// Forget looks for the next tone.
func (l *Listener) Forget() {
	l.heard = false
	l.pulses.clear()
}
