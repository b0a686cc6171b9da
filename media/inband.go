package media

import (
	"b2bua/dtmf"
	"b2bua/media/audio"
)

// listening is what a leg needs whose digits are tones in its sound.
type listening struct {
	detector dtmf.Detector
	down     *audio.Resampler // from 16 kHz; nil at 8
	narrow   []int16

	// The bridge peer is sent the frame before: then it is known whether a key
	// began in it.
	frames    [2][maxHeld]int16
	held      int  // which of them is held back
	size      int  // its samples, 0 for none
	suspected bool // when it was heard
	silent    bool // the frame before it was
}

const maxHeld = 320 // 20 ms at 16 kHz

// detects reports whether tones are listened for: where that is what was agreed
// upon, or nothing better was.
func (s *Session) detects() bool {
	t := s.leg.terms
	if t == nil || !t.receives {
		return false
	}
	switch s.opts.digits() {
	case DigitsTones:
		return true
	case DigitsAuto:
		return t.eventIn < 0
	}
	return false
}

// suppresses reports whether the bridge peer gets the digits of this leg in
// another kind, and must not have the tones as well.
func (s *Session) suppresses(p *Session) bool {
	t := p.leg.terms
	return s.detects() && (p.opts.SendDigit != nil || t != nil && t.eventOut >= 0)
}

// listenIn looks for tones in this tick's frame, of which the samples from lost to
// end were made up for lost ones. What it gives is what the bridge peer may hear:
// the same, or where tones are kept from it the frame before, silenced when a key
// was down in it.
func (s *Session) listenIn(pcm []int16, rate, lost, end int) []int16 {
	k := &s.digits
	if !s.detects() {
		k.tones = nil
		return pcm
	}
	if k.tones == nil {
		k.tones = new(listening)
	}
	l := k.tones
	told := k.heard[:0]
	if lost < end {
		told = l.push(told, pcm[:lost], rate)
		told = l.detector.Gap(told, (end-lost)*8000/rate)
		pcm := pcm[end:]
		told = l.push(told, pcm, rate)
	} else {
		told = l.push(told, pcm, rate)
	}
	now := s.engine.now()
	for _, press := range told {
		s.tellDigit(press, now)
	}
	if p := s.leg.peer; p != nil && s.suppresses(p) {
		return l.delay(pcm)
	}
	l.size = 0
	return pcm
}

// push hands samples to the detector, which hears 8 kHz.
func (l *listening) push(dst []dtmf.Press, pcm []int16, rate int) []dtmf.Press {
	if rate == 8000 {
		l.down = nil
		return l.detector.Push(dst, pcm)
	}
	if l.down == nil {
		l.down = audio.NewResampler(rate, 8000)
		l.narrow = make([]int16, 0, 2*maxHeld)
	}
	l.narrow = l.down.Push(l.narrow[:0], pcm)
	return l.detector.Push(dst, l.narrow)
}

// delay gives the frame before this one. It is silent when a key may have been
// down in it: that shows at its end, or at the end of the one behind.
func (l *listening) delay(pcm []int16) []int16 {
	suspect := l.detector.Suspect()
	out := l.frames[l.held][:len(pcm)]
	if l.size != len(pcm) {
		clear(out)
		l.size = len(pcm)
	}
	l.held = 1 - l.held
	copy(l.frames[l.held][:], pcm)
	silent := suspect || l.suspected
	if silent {
		// Two milliseconds fade what may be speech, and may be the key's beginning
		// already: too little to be heard as one.
		over := len(out) / 10
		if l.silent {
			over = 0
		}
		for i := range over {
			out[i] = int16(int(out[i]) * (over - i) / over)
		}
		clear(out[over:])
	} else if over := len(out) / 4; l.silent {
		for i := range over {
			out[i] = int16(int(out[i]) * i / over)
		}
	}
	l.silent, l.suspected = silent, suspect
	return out
}
