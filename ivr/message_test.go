package ivr

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"b2bua/dtmf"
	"b2bua/flows"
	"b2bua/media"
)

func key(symbol byte) dtmf.Digit { return dtmf.Digit{Symbol: symbol} }

// tape is a recording that counts frames.
type tape struct {
	frames int
	cut    time.Duration
	done   chan struct{}
}

func (r *tape) FinishAt(keep time.Duration) {
	r.cut = keep
	r.Finish()
}

func (r *tape) Frame(media.TapFrame)  { r.frames++ }
func (r *tape) Done() <-chan struct{} { return r.done }
func (r *tape) Finish() {
	select {
	case <-r.done:
	default:
		close(r.done)
	}
}

func TestTakeMessage(t *testing.T) {
	all := []string{"hello", "please", "beep"}
	// Greeting 3 s, prompt 2.5 s, beep 0.5 s: the message begins after 6 s.
	for _, c := range []struct {
		name   string
		box    flows.VoicemailBox
		says   func(time.Duration) bool
		act    func(s *scene, hangUp func())
		want   MessageResult // Duration to 0.1 s, Speech at least
		played []string
	}{
		{
			name: "hang-up after talking",
			says: func(at time.Duration) bool { return at < 5*time.Second },
			act:  func(_ *scene, hangUp func()) { time.AfterFunc(12*time.Second, hangUp) },
			want: MessageResult{Kept: true, Reason: "hangup", Recorded: true, Duration: 6 * time.Second, Speech: 5 * time.Second}, played: all,
		}, {
			name: "the finish key",
			says: func(at time.Duration) bool { return true },
			act:  func(s *scene, _ func()) { s.press(9*time.Second, "#") },
			want: MessageResult{Kept: true, Reason: "finish_key", Recorded: true, Duration: 3 * time.Second, Speech: 2500 * time.Millisecond}, played: all,
		}, {
			name: "other keys do not end it",
			says: func(at time.Duration) bool { return at < 3*time.Second },
			act:  func(s *scene, _ func()) { s.press(8*time.Second, "5#") },
			want: MessageResult{Kept: true, Reason: "finish_key", Recorded: true, Duration: 10 * time.Second, Speech: 3 * time.Second}, played: all,
		}, {
			name: "silence",
			says: func(at time.Duration) bool { return at < 4*time.Second },
			act:  func(*scene, func()) {},
			want: MessageResult{Kept: true, Reason: "silence", Recorded: true, Duration: 14 * time.Second, Speech: 4 * time.Second}, played: all,
		}, {
			name: "the longest duration", box: flows.VoicemailBox{MaxDuration: 30},
			says: func(at time.Duration) bool { return at%(2*time.Second) < time.Second },
			act:  func(*scene, func()) {},
			want: MessageResult{Kept: true, Reason: "max_duration", Recorded: true, Duration: 30 * time.Second, Speech: 15 * time.Second}, played: all,
		}, {
			name: "too little speech",
			says: func(at time.Duration) bool { return at < time.Second },
			act:  func(_ *scene, hangUp func()) { time.AfterFunc(14*time.Second, hangUp) },
			want: MessageResult{Reason: "hangup", Recorded: true, Duration: 8 * time.Second}, played: all,
		}, {
			name: "hang-up during the greeting",
			act:  func(_ *scene, hangUp func()) { time.AfterFunc(time.Second, hangUp) },
			want: MessageResult{Reason: "hangup", Err: ErrHangup}, played: []string{"cut"},
		}, {
			name: "hang-up over the beep",
			act:  func(_ *scene, hangUp func()) { time.AfterFunc(5800*time.Millisecond, hangUp) },
			want: MessageResult{Reason: "hangup", Recorded: true, Err: ErrHangup}, played: []string{"hello", "please", "cut"},
		}, {
			name: "the operator", box: flows.VoicemailBox{Operator: &flows.Operator{Destination: "+14155552673", DestinationType: flows.ToNumber}},
			act:  func(s *scene, _ func()) { s.press(time.Second, "0") },
			want: MessageResult{Reason: "operator"}, played: []string{"cut"},
		}, {
			name: "no operator to be had",
			says: func(at time.Duration) bool { return at < 4*time.Second },
			act:  func(s *scene, _ func()) { s.press(time.Second, "0") },
			want: MessageResult{Kept: true, Reason: "silence", Recorded: true, Duration: 14 * time.Second, Speech: 4 * time.Second}, played: []string{"cut", "beep"},
		}, {
			name: "the owner, during the prompt", box: flows.VoicemailBox{PIN: "kept"},
			act:  func(s *scene, _ func()) { s.press(4*time.Second, "*") },
			want: MessageResult{Reason: "access"}, played: []string{"hello", "cut"},
		}, {
			name: "a key skips to the beep and does not end the message",
			says: func(at time.Duration) bool { return at < 4*time.Second },
			act:  func(s *scene, _ func()) { s.press(time.Second, "#") },
			want: MessageResult{Kept: true, Reason: "silence", Recorded: true, Duration: 14 * time.Second, Speech: 4 * time.Second}, played: []string{"cut", "beep"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			story(t, func(t *testing.T, s *scene) {
				c.box.Greeting, c.box.Prompt = "hello", "please"
				s.phone.says = c.says
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				c.act(s, func() { cancel(ErrHangup) })
				rec := &tape{done: make(chan struct{})}
				got := s.TakeMessage(ctx, &c.box, func() (Recording, error) { return rec, nil })
				checkMessage(t, got, c.want, rec)
				if played := s.phone.heard(); !reflect.DeepEqual(played, c.played) {
					t.Errorf("heard %q, want %q", played, c.played)
				}
				if len(s.phone.taps) != 0 {
					t.Error("taps left on the line")
				}
			})
		})
	}
}

func checkMessage(t *testing.T, got, want MessageResult, rec *tape) {
	t.Helper()
	if d := got.Duration - want.Duration; d < -150*time.Millisecond || d > 150*time.Millisecond {
		t.Errorf("duration %v, want %v", got.Duration, want.Duration)
	}
	if more := got.Speech - want.Speech; want.Kept && (more < -100*time.Millisecond || more > want.Speech/4+300*time.Millisecond) {
		t.Errorf("speech %v, want %v", got.Speech, want.Speech)
	}
	if !errors.Is(got.Err, want.Err) {
		t.Errorf("err %v, want %v", got.Err, want.Err)
	}
	frames := time.Duration(rec.frames) * frameTime
	if d := frames - got.Duration; d < -60*time.Millisecond || d > 60*time.Millisecond {
		t.Errorf("%v recorded of %v", frames, got.Duration)
	}
	if got.Kept != want.Kept || got.Reason != want.Reason || got.Recorded != want.Recorded {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestMessageThatCannotBeRecorded(t *testing.T) {
	story(t, func(t *testing.T, s *scene) {
		full := errors.New("disk full")
		got := s.TakeMessage(t.Context(), &flows.VoicemailBox{}, func() (Recording, error) { return nil, full })
		if got.Reason != MessageFailed || got.Kept || got.Recorded || !errors.Is(got.Err, full) {
			t.Errorf("%+v", got)
		}
		rec := &tape{done: make(chan struct{})}
		time.AfterFunc(5*time.Second, rec.Finish)
		s.phone.says = func(time.Duration) bool { return true }
		got = s.TakeMessage(t.Context(), &flows.VoicemailBox{}, func() (Recording, error) { return rec, nil })
		if got.Reason != MessageFailed || got.Kept || !got.Recorded || got.Err == nil { // the caller is told that it is none
			t.Errorf("%+v", got)
		}
	})
}

// A noisy line is no speech, and speech over it is.
func TestDetectorOverNoise(t *testing.T) {
	frame := func(loud int) media.TapFrame {
		pcm := make([]int16, 160)
		for i := range pcm {
			pcm[i] = int16((i*7919%2001 - 1000) * loud / 1000)
		}
		return media.TapFrame{Dir: media.In, Rate: 8000, PCM: pcm}
	}
	v := newDetector()
	for range 500 { // 10 s of noise at about -44 dBov
		v.Frame(frame(250))
	}
	before := v.spoken()
	if before > 500*time.Millisecond {
		t.Errorf("noise taken for %v of speech", before)
	}
	for i := range 200 { // words of 0.4 s
		if i%40 < 20 {
			v.Frame(frame(4000))
		} else {
			v.Frame(frame(250))
		}
	}
	if d := v.spoken() - before; d < 2*time.Second || d > 4*time.Second {
		t.Errorf("%v of speech", d)
	}
	out := frame(20000)
	out.Dir = media.Out
	quiet := v.quiet()
	v.Frame(out)
	if v.quiet() != quiet {
		t.Error("listened to the prompt")
	}
}
