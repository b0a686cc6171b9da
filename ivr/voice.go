package ivr

import (
	"sync/atomic"
	"time"

	"b2bua/media"
	"b2bua/media/signal"
	"b2bua/media/tone"
)

const frameTime = 20 * time.Millisecond

// toneMargin is how much before a tone the message ends: the recording began at
// most that much earlier than the detector, and tones set in softly.
const toneMargin = 40 * time.Millisecond

// detector listens to the caller: how much was said, for how long nothing, and
// whether the far exchange has taken over with a tone. Frame runs on the media
// clock; the rest may be read from elsewhere.
type detector struct {
	ear   signal.Listener
	first uint64 // tick of the first frame
	begun bool

	speech atomic.Int64  // nanoseconds spoken
	silent atomic.Int64  // nanoseconds since the last word
	ended  atomic.Bool   // a tone was recognised
	end    time.Duration // where the message ends; valid once ended
}

func newDetector() *detector { return &detector{} }

// Frame hears one frame of the caller's.
func (v *detector) Frame(f media.TapFrame) {
	if f.Dir != media.In || v.ended.Load() {
		return
	}
	if !v.begun {
		v.begun, v.first = true, f.Tick
	}
	// Where the machine stalled, the time line of the recording goes on.
	skipped := time.Duration(f.Tick-v.first)*frameTime - v.ear.Heard()
	v.ear.Write(f.Rate, f.PCM)
	v.speech.Store(int64(v.ear.Speech()))
	v.silent.Store(int64(v.ear.Quiet()))
	found, ok := v.ear.Tone()
	switch {
	case !ok:
	case found.Kind == tone.Dial:
		// A steady tone may as well be what the caller plays to us.
		v.ear.Forget()
	default:
		v.end = max(0, found.From+skipped-toneMargin)
		v.speech.Store(int64(v.ear.SpeechUntil(found.From)))
		v.ended.Store(true)
	}
}

// spoken is how much speech was heard.
func (v *detector) spoken() time.Duration { return time.Duration(v.speech.Load()) }

// quiet is how long nothing was said.
func (v *detector) quiet() time.Duration { return time.Duration(v.silent.Load()) }

// toned tells whether a busy, congestion or ringback tone has come instead of
// the caller, and how much of what was heard came before it.
func (v *detector) toned() (end time.Duration, ok bool) {
	if !v.ended.Load() {
		return 0, false
	}
	return v.end, true
}
