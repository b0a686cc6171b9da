package ivr

import (
	"context"
	"slices"
	"testing"
	"time"

	"b2bua/flows"
	"b2bua/media/tone"
)

// spells is sound that comes and goes as speech does, for a while.
func spells(d time.Duration) []int16 {
	pcm := make([]int16, int(d/time.Millisecond)*8)
	noise := uint32(1)
	for i := range pcm {
		noise = noise*1664525 + 1013904223
		if i/8%450 < 300+i/8%170 {
			pcm[i] = int16(noise>>16) / 16
		}
	}
	return pcm
}

func tones(t *testing.T, country string, kind tone.Kind, d time.Duration) []int16 {
	t.Helper()
	set, err := tone.ByCountry(country)
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, int(d/time.Millisecond)*8)
	set.Of(kind).Play(true).Frame(pcm)
	return pcm
}

// A tone of the far exchange ends the message where it began, and is no speech.
func TestToneEndsTheMessage(t *testing.T) {
	for _, c := range []struct {
		country string
		kind    tone.Kind
		within  time.Duration
	}{
		{"us", tone.Busy, 3 * time.Second}, {"us", tone.Congestion, 2 * time.Second}, {"us", tone.Ringback, 9 * time.Second},
		{"de", tone.Busy, 3 * time.Second}, {"gb", tone.Busy, 3 * time.Second}, {"gb", tone.Congestion, 4 * time.Second},
		{"fr", tone.Ringback, 8 * time.Second}, {"in", tone.Ringback, 5 * time.Second}, {"se", tone.Congestion, 3 * time.Second},
	} {
		t.Run(c.country+" "+c.kind.String(), func(t *testing.T) {
			story(t, func(t *testing.T, s *scene) {
				talk := spells(5 * time.Second)
				s.phone.sounds = slices.Concat(talk, make([]int16, 4000), tones(t, c.country, c.kind, time.Minute))
				rec := &tape{done: make(chan struct{})}
				got := s.TakeMessage(t.Context(), &flows.VoicemailBox{}, func() (Recording, error) { return rec, nil })
				if !got.Kept || got.Reason != MessageTone || got.Err != nil {
					t.Errorf("%+v", got)
				}
				if d := 5500*time.Millisecond - got.Duration; d < 0 || d > 100*time.Millisecond || rec.cut != got.Duration {
					t.Errorf("ends at %v, cut at %v, the tone began at 5.5 s", got.Duration, rec.cut)
				}
				if got.Speech < 4500*time.Millisecond || got.Speech > 5600*time.Millisecond {
					t.Errorf("%v of speech", got.Speech)
				}
				if took := time.Duration(rec.frames)*frameTime - 5500*time.Millisecond; took > c.within {
					t.Errorf("recognised after %v", took)
				}
			})
		})
	}
}

// Nothing but a tone is no message, also when the line is cut before long.
func TestToneAloneIsNoMessage(t *testing.T) {
	story(t, func(t *testing.T, s *scene) {
		s.phone.sounds = tones(t, "us", tone.Busy, time.Minute)
		rec := &tape{done: make(chan struct{})}
		got := s.TakeMessage(t.Context(), &flows.VoicemailBox{}, func() (Recording, error) { return rec, nil })
		if got.Kept || got.Reason != MessageTone || got.Speech > 200*time.Millisecond {
			t.Errorf("%+v", got)
		}
	})
}

// A steady tone is what somebody plays to us: the message goes on.
func TestSteadyToneIsAMessage(t *testing.T) {
	story(t, func(t *testing.T, s *scene) {
		s.phone.sounds = tones(t, "de", tone.Dial, 8*time.Second)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		time.AfterFunc(10*time.Second, func() { cancel(ErrHangup) })
		rec := &tape{done: make(chan struct{})}
		got := s.TakeMessage(ctx, &flows.VoicemailBox{}, func() (Recording, error) { return rec, nil })
		if !got.Kept || got.Reason != MessageHangup || got.Speech < 7*time.Second || rec.cut != 0 {
			t.Errorf("%+v", got)
		}
	})
}
