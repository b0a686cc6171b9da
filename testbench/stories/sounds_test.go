package stories_test

import (
	"bytes"
	"math"
	"time"

	"b2bua/media/audio"
	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// The tones by which parties are told apart, and how loud they are.
const (
	callerTone = 400.0
	salesTone  = 700.0
	toneLevel  = -13.0 // dBm0
)

// clip decodes a recording or message as a player would.
func (s *stage) clip(file []byte) []int16 {
	s.Helper()
	c, err := audio.Decode(bytes.NewReader(file), audio.Limits{})
	s.must(err)
	return c.Resample(sound.Rate).Samples
}

// level holds a tone to a level, to half a decibel.
func (s *stage) level(what string, pcm []int16, freq, want float64) {
	s.Helper()
	if got := sound.ToneLevel(pcm, freq); math.Abs(got-want) > 0.5 {
		s.Errorf("%s: %v Hz at %.2f dBm0, want %.2f", what, freq, got, want)
	}
}

// quiet holds a tone to not being there.
func (s *stage) quiet(what string, pcm []int16, freq float64) {
	s.Helper()
	if got := sound.ToneLevel(pcm, freq); got > -50 {
		s.Errorf("%s: %v Hz at %.2f dBm0, want nothing", what, freq, got)
	}
}

// last is what a party has heard in the time just gone by.
func last(c *phone.Call, d time.Duration) []int16 {
	pcm := c.Heard()
	return pcm[max(0, len(pcm)-sound.Samples(d)):]
}

// beep waits for the beep of a voicemail box, and its end.
func (s *stage) beep(c *phone.Call) {
	s.Helper()
	hears := func() bool {
		pcm := last(c, 300*time.Millisecond)
		return sound.ToneLevel(pcm, 1000) > -20 && sound.Purity(pcm, 1000) > 20
	}
	for range 600 {
		if hears() {
			for hears() {
				pass(20 * time.Millisecond)
			}
			pass(300 * time.Millisecond)
			return
		}
		pass(100 * time.Millisecond)
	}
	s.Fatal("there was no beep")
}

// talk lets both say something for a while and checks that each hears the other.
func (s *stage) talk(in, out *phone.Call) {
	s.Helper()
	in.SendTone(callerTone, toneLevel, 600*time.Millisecond)
	out.SendTone(salesTone, toneLevel, 600*time.Millisecond)
	pass(600 * time.Millisecond)
	s.level("the caller hears", last(in, 300*time.Millisecond), salesTone, toneLevel)
	s.level("the other party hears", last(out, 300*time.Millisecond), callerTone, toneLevel)
	pass(200 * time.Millisecond)
}

// heardAt holds a tone to where it should be in a recording, and to its level.
func (s *stage) heardAt(what string, pcm []int16, freq, level float64, from, length time.Duration) {
	s.Helper()
	spans := sound.Tones(pcm, freq, level-6)
	if len(spans) != 1 {
		s.Errorf("%s: %v Hz was heard at %v, want once", what, freq, spans)
		return
	}
	const off = 150 * time.Millisecond
	if d := spans[0].From - from; d < -off || d > off {
		s.Errorf("%s: %v Hz begins at %v, want %v", what, freq, spans[0].From, from)
	}
	if d := spans[0].Length() - length; d < -off || d > off {
		s.Errorf("%s: %v Hz lasts %v, want %v", what, freq, spans[0].Length(), length)
	}
	s.level(what, sound.Window(pcm, spans[0].From+length/4, length/2), freq, level)
}
