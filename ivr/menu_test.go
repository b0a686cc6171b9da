package ivr

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"b2bua/flows"
)

func ptr[T any](v T) *T { return &v }

// near tells whether a time on the 20 ms clock is the one meant.
func near(got int64, want time.Duration) bool {
	d := time.Duration(got)*time.Millisecond - want
	return d.Abs() <= 45*time.Millisecond
}

func TestMenu(t *testing.T) {
	type menu = flows.IVRMenu
	for _, c := range []struct {
		name   string
		menu   menu
		match  flows.Matcher
		act    func(s *scene)
		want   flows.MenuResult // without the duration
		takes  time.Duration
		played []string
	}{
		{
			name: "answer after the prompt", menu: menu{Prompt: "main"}, match: words{"1", "2"},
			act:  func(s *scene) { s.press(5*time.Second, "2") },
			want: flows.MenuResult{Digits: "2", Reason: "matched", Attempts: 1}, takes: 5 * time.Second, played: []string{"main"},
		}, {
			name: "the key that interrupts is the first digit", menu: menu{Prompt: "main"}, match: words{"1", "2"},
			act:  func(s *scene) { s.press(time.Second, "1") },
			want: flows.MenuResult{Digits: "1", Reason: "matched", Attempts: 1, BargedIn: true}, takes: time.Second, played: []string{"cut"},
		}, {
			name: "type-ahead keeps the prompt from starting", menu: menu{Prompt: "main", MaxDigits: 3},
			act: func(s *scene) {
				s.keys.Press(key('1'))
				s.press(time.Second, "23")
			},
			want: flows.MenuResult{Digits: "123", Reason: "max_digits", Attempts: 1, BargedIn: true}, takes: 2 * time.Second,
		}, {
			name: "flushed type-ahead does not count", menu: menu{Prompt: "main", FlushBuffer: true},
			act: func(s *scene) {
				s.keys.Press(key('1'))
				s.press(6*time.Second, "2")
			},
			want: flows.MenuResult{Digits: "2", Reason: "max_digits", Attempts: 1}, takes: 6 * time.Second, played: []string{"main"},
		}, {
			name: "without barge-in keys wait for the end of the prompt", menu: menu{Prompt: "main", BargeIn: ptr(false)},
			act:  func(s *scene) { s.press(time.Second, "7") },
			want: flows.MenuResult{Digits: "7", Reason: "max_digits", Attempts: 1}, takes: 4 * time.Second, played: []string{"main"},
		}, {
			name: "without barge-in and flushed keys over the prompt are lost", menu: menu{Prompt: "main", BargeIn: ptr(false), FlushBuffer: true, MaxAttempts: 1},
			act:  func(s *scene) { s.press(time.Second, "7") },
			want: flows.MenuResult{Reason: "no_input", Attempts: 1}, takes: 9 * time.Second, played: []string{"main"},
		}, {
			name: "the timeout counts from the end of the prompt", menu: menu{Prompt: "main", Timeout: 2, MaxAttempts: 1, ExitPrompt: "exit"},
			act:  func(*scene) {},
			want: flows.MenuResult{Reason: "no_input", Attempts: 1}, takes: 8 * time.Second, played: []string{"main", "exit"},
		}, {
			name: "no input thrice", menu: menu{Prompt: "main", NoInputPrompt: "noinput", InvalidPrompt: "invalid", Timeout: 1},
			act:  func(*scene) {},
			want: flows.MenuResult{Reason: "no_input", Attempts: 3}, takes: 18 * time.Second,
			played: []string{"main", "noinput", "main", "noinput", "main"},
		}, {
			name: "invalid, then right", menu: menu{Prompt: "main", InvalidPrompt: "invalid"}, match: words{"1"},
			act: func(s *scene) {
				s.press(5*time.Second, "9")
				s.press(11*time.Second, "1")
			},
			want: flows.MenuResult{Digits: "1", Reason: "matched", Attempts: 2}, takes: 11 * time.Second,
			played: []string{"main", "invalid", "main"},
		}, {
			name: "no input and invalid are counted apart", menu: menu{Prompt: "main", NoInputPrompt: "noinput", InvalidPrompt: "invalid", MaxAttempts: 2, Timeout: 2}, match: words{"1"},
			// 4 s prompt, 2 s silence; a wrong key; silence again.
			act:  func(s *scene) { s.press(12*time.Second, "9") },
			want: flows.MenuResult{Reason: "no_input", Attempts: 3}, takes: 19 * time.Second,
			played: []string{"main", "noinput", "main", "invalid", "main"},
		}, {
			name: "a key over the invalid prompt is the next answer", menu: menu{Prompt: "main", InvalidPrompt: "invalid"}, match: words{"1"},
			act: func(s *scene) {
				s.press(5*time.Second, "9")
				s.press(5500*time.Millisecond, "1")
			},
			want: flows.MenuResult{Digits: "1", Reason: "matched", Attempts: 2, BargedIn: true}, takes: 5500 * time.Millisecond,
			played: []string{"main", "cut"},
		}, {
			name: "a short option waits for the longer one", menu: menu{Prompt: "main", MaxDigits: 2, InterDigitTimeout: 2}, match: words{"1", "12"},
			act:  func(s *scene) { s.press(5*time.Second, "1") },
			want: flows.MenuResult{Digits: "1", Reason: "inter_digit_timeout", Attempts: 1}, takes: 7 * time.Second, played: []string{"main"},
		}, {
			name: "the finish key", menu: menu{Prompt: "main", MaxDigits: 8},
			act:  func(s *scene) { s.press(time.Second, "4711#") },
			want: flows.MenuResult{Digits: "4711", Terminator: "#", Reason: "finish_key", Attempts: 1, BargedIn: true}, takes: 5 * time.Second, played: []string{"cut"},
		}, {
			name: "a missing prompt does not stop the menu", menu: menu{Prompt: "absent"},
			act:  func(s *scene) { s.press(time.Second, "3") },
			want: flows.MenuResult{Digits: "3", Reason: "max_digits", Attempts: 1}, takes: time.Second,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			story(t, func(t *testing.T, s *scene) {
				c.act(s)
				got := s.Menu(t.Context(), flows.MenuRequest{Menu: &c.menu, Match: c.match})
				// Each prompt may end a tick early or late.
				off := time.Duration(got.DurationMS)*time.Millisecond - c.takes
				if off.Abs() > time.Duration(len(c.played)+1)*20*time.Millisecond {
					t.Errorf("took %d ms, want %v", got.DurationMS, c.takes)
				}
				got.DurationMS = 0
				if got != c.want {
					t.Errorf("got  %+v\nwant %+v", got, c.want)
				}
				if played := s.phone.heard(); !reflect.DeepEqual(played, c.played) {
					t.Errorf("heard %q, want %q", played, c.played)
				}
				time.Sleep(time.Minute) // late keys of the story
			})
		})
	}
}

func TestMenuEndsWithTheCall(t *testing.T) {
	for _, c := range []struct {
		after  time.Duration
		cause  error
		reason string
		played []string
	}{
		{time.Second, ErrHangup, "hangup", []string{"cut"}},
		{5 * time.Second, ErrHangup, "hangup", []string{"main"}},
		{5 * time.Second, errors.New("taken over"), "cancelled", []string{"main"}},
		{9500 * time.Millisecond, ErrHangup, "hangup", []string{"main", "cut"}}, // over the exit prompt
		{0, ErrHangup, "hangup", nil},
	} {
		story(t, func(t *testing.T, s *scene) {
			ctx, cancel := context.WithCancelCause(t.Context())
			if c.after == 0 {
				cancel(c.cause)
			}
			time.AfterFunc(c.after, func() { cancel(c.cause) })
			got := s.Menu(ctx, flows.MenuRequest{Menu: &flows.IVRMenu{Prompt: "main", ExitPrompt: "exit", MaxAttempts: 1}})
			if got.Reason != c.reason || !near(got.DurationMS, c.after) {
				t.Errorf("after %v: %+v", c.after, got)
			}
			if played := s.phone.heard(); !reflect.DeepEqual(played, c.played) {
				t.Errorf("after %v heard %q", c.after, played)
			}
		})
	}
}

// Keys typed ahead through two menus.
func TestTypeAheadReachesTheSecondMenu(t *testing.T) {
	story(t, func(t *testing.T, s *scene) {
		s.keys.Press(key('2'))
		s.keys.Press(key('1'))
		for _, want := range []string{"2", "1"} {
			got := s.Menu(t.Context(), flows.MenuRequest{Menu: &flows.IVRMenu{Prompt: "main"}, Match: words{"1", "2"}})
			if got.Digits != want || got.DurationMS != 0 {
				t.Errorf("%+v, want %s", got, want)
			}
		}
	})
}

func TestGather(t *testing.T) {
	story(t, func(t *testing.T, s *scene) {
		s.press(4500*time.Millisecond, "123")
		got := s.Gather(t.Context(), &flows.IVRMenu{Prompt: "main", MaxDigits: 10, InterDigitTimeout: 5})
		if got.Digits != "123" || got.Reason != "inter_digit_timeout" || !near(got.DurationMS, 18500*time.Millisecond) {
			t.Errorf("%+v", got)
		}
	})
}

func TestSay(t *testing.T) {
	story(t, func(t *testing.T, s *scene) {
		s.press(time.Second, "5")
		if err := s.Say(t.Context(), Prompt{Ref: "hello"}); err != nil || s.keys.Waiting() != 1 {
			t.Error(err, s.keys.Waiting())
		}
		if err := s.Say(t.Context(), Prompt{Ref: "absent"}); !errors.Is(err, errNoSuch) {
			t.Error(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(ErrHangup) })
		if err := s.Say(ctx, Prompt{Ref: "hello"}); !errors.Is(err, ErrHangup) {
			t.Error(err)
		}
		if played := s.phone.heard(); !reflect.DeepEqual(played, []string{"hello", "cut"}) {
			t.Errorf("heard %q", played)
		}
	})
}

func TestKeypadIsBounded(t *testing.T) {
	k := NewKeypad()
	for range 10 * typeAhead {
		k.Press(key('1'))
	}
	if k.Waiting() != typeAhead {
		t.Errorf("%d keys wait", k.Waiting())
	}
	k.Flush()
	if _, ok := k.next(); ok {
		t.Error("a key survived")
	}
}
