package sound

import (
	"math"
	"time"
)

// Span is a stretch of time.
type Span struct{ From, To time.Duration }

// Length is how long it is.
func (s Span) Length() time.Duration { return s.To - s.From }

const hop = Rate / 1000 // 1 ms

// Loud are the stretches louder than a level in dBm0. Pauses shorter than join
// do not part them. Both ends are right to about a millisecond.
func Loud(pcm []int16, level float64, join time.Duration) []Span {
	threshold := level - FullScale
	peak := 32768 * math.Pow(10, threshold/20) / math.Sqrt2
	return spans(len(pcm), join, func(ms int) bool {
		// Two milliseconds see a peak of everything from 250 Hz up, and of
		// lower tones most of it.
		for _, s := range pcm[ms*hop : min((ms+2)*hop, len(pcm))] {
			if math.Abs(float64(s)) >= peak {
				return true
			}
		}
		return false
	})
}

// Gaps are the pauses of at least a length between the first and the last sound
// louder than a level.
func Gaps(pcm []int16, level float64, atLeast time.Duration) (gaps []Span) {
	loud := Loud(pcm, level, atLeast)
	for i := 1; i < len(loud); i++ {
		gaps = append(gaps, Span{loud[i-1].To, loud[i].From})
	}
	return gaps
}

// Tones are the stretches in which a frequency is there with at least a level in
// dBm0 and is most of what there is. Pauses shorter than 20 ms do not part them.
// The ends are right to about a millisecond when nothing else sounds there, else
// to 10 ms.
func Tones(pcm []int16, freq, level float64) []Span {
	const look = 20 * hop
	rough := spans(len(pcm), 20*time.Millisecond, func(ms int) bool {
		w := pcm[max(ms*hop-look/2, 0):min(ms*hop+look/2, len(pcm))]
		p := power(w, freq)
		return ofPower(p) >= level-6 && Purity(w, freq) > 3
	})
	var found []Span
	for _, s := range rough {
		s = sharpen(pcm, s, level)
		middle := Window(pcm, s.From, s.Length())
		if len(middle) >= look && ToneLevel(middle, freq) >= level {
			found = append(found, s)
		}
	}
	return found
}

// sharpen moves the ends of a tone found with a long window to where the sound
// itself begins and ends, if that is near.
func sharpen(pcm []int16, s Span, level float64) Span {
	const near = 20 * time.Millisecond
	from := max(s.From-near, 0)
	for _, l := range Loud(Window(pcm, from, s.Length()+2*near), level-12, 5*time.Millisecond) {
		begin, end := from+l.From, from+l.To
		if begin > s.To || end < s.From {
			continue
		}
		if begin-s.From < near && s.From-begin < near && l.From > 0 {
			s.From = begin
		}
		if end-s.To < near && s.To-end < near {
			s.To = end
		}
	}
	return s
}

// Onset is when a tone first begins.
func Onset(pcm []int16, freq, level float64) (at time.Duration, ok bool) {
	tones := Tones(pcm, freq, level)
	if len(tones) == 0 {
		return 0, false
	}
	return tones[0].From, true
}

// spans joins the milliseconds that are in into stretches.
func spans(samples int, join time.Duration, in func(ms int) bool) (out []Span) {
	for ms := range samples / hop {
		if !in(ms) {
			continue
		}
		at := time.Duration(ms) * time.Millisecond
		if n := len(out); n > 0 && at-out[n-1].To < max(join, time.Millisecond) {
			out[n-1].To = at + time.Millisecond
			continue
		}
		out = append(out, Span{at, at + time.Millisecond})
	}
	return out
}
