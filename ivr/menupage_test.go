package ivr

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"b2bua/flows"
)

// A menu that says nothing about times and attempts: 5 s from the end of the
// prompt, thrice, 3 s between digits, one digit, and # is the finish key.
func TestMenuWaitsByDefault(t *testing.T) {
	story(t, func(t *testing.T, s *scene) {
		got := s.Menu(t.Context(), flows.MenuRequest{Menu: &flows.IVRMenu{Prompt: "main"}})
		if got.Reason != flows.MenuNoInput || got.Attempts != 3 || (time.Duration(got.DurationMS)*time.Millisecond-27*time.Second).Abs() > 200*time.Millisecond {
			t.Errorf("three times 4 s of prompt and 5 s of silence: %+v", got)
		}
	})
	story(t, func(t *testing.T, s *scene) {
		s.press(5*time.Second, "7")
		got := s.Menu(t.Context(), flows.MenuRequest{Menu: &flows.IVRMenu{Prompt: "main", MaxDigits: 2}})
		if got.Reason != flows.MenuInterDigitTimeout || got.Digits != "7" || !near(got.DurationMS, 8*time.Second) {
			t.Errorf("3 s after the digit: %+v", got)
		}
	})
	for keys, want := range map[string]flows.MenuResult{
		"12": {Digits: "1", Reason: flows.MenuMaxDigits, Attempts: 1},
		"#":  {Terminator: "#", Reason: flows.MenuInvalid, Attempts: 3},
	} {
		story(t, func(t *testing.T, s *scene) {
			for range 3 {
				s.press(5*time.Second, keys)
			}
			got := s.Menu(t.Context(), flows.MenuRequest{Menu: &flows.IVRMenu{Prompt: "exit", MaxAttempts: 1}})
			got.DurationMS, want.Attempts = 0, 1
			if got != want {
				t.Errorf("%s: %+v, want %+v", keys, got, want)
			}
			time.Sleep(time.Minute) // late keys of the story
		})
	}
}

// The finish key is no digit; another one may be it, or none.
func TestFinishKeyOfMenus(t *testing.T) {
	for _, c := range []struct {
		finish     *string
		keys       string
		digits     string
		terminator string
		reason     string
	}{
		{nil, "12#", "12", "#", flows.MenuFinishKey},
		{ptr("*"), "1#*", "1#", "*", flows.MenuFinishKey},
		{ptr(""), "1#2", "1#2", "", flows.MenuMaxDigits},
	} {
		story(t, func(t *testing.T, s *scene) {
			s.press(time.Second, c.keys)
			got := s.Menu(t.Context(), flows.MenuRequest{Menu: &flows.IVRMenu{Prompt: "main", MaxDigits: 3, FinishOnKey: c.finish}})
			if got.Digits != c.digits || got.Terminator != c.terminator || got.Reason != c.reason {
				t.Errorf("%q: %+v", c.keys, got)
			}
		})
	}
}

// Every reason there is, each by a caller who brings it about; valid_digits and
// min_digits among them.
func TestReasonsOfMenus(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range []struct {
		menu   flows.IVRMenu
		match  flows.Matcher
		keys   string
		ends   error
		reason string
	}{
		{flows.IVRMenu{}, words{"1"}, "1", nil, "matched"},
		{flows.IVRMenu{MaxDigits: 4}, nil, "12#", nil, "finish_key"},
		{flows.IVRMenu{MaxDigits: 2}, nil, "12", nil, "max_digits"},
		{flows.IVRMenu{MaxDigits: 2}, nil, "1", nil, "inter_digit_timeout"},
		{flows.IVRMenu{}, nil, "", nil, "no_input"},
		{flows.IVRMenu{}, words{"1"}, "2", nil, "invalid"},
		{flows.IVRMenu{ValidDigits: "123"}, nil, "4", nil, "invalid"},
		{flows.IVRMenu{MinDigits: 3, MaxDigits: 4}, nil, "12#", nil, "invalid"},
		{flows.IVRMenu{}, nil, "", ErrHangup, "hangup"},
		{flows.IVRMenu{}, nil, "", errors.New("transferred"), "cancelled"},
	} {
		story(t, func(t *testing.T, s *scene) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if c.ends != nil {
				time.AfterFunc(2*time.Second, func() { cancel(c.ends) })
			}
			s.press(time.Second, c.keys)
			c.menu.Prompt, c.menu.MaxAttempts = "main", 1
			if got := s.Menu(ctx, flows.MenuRequest{Menu: &c.menu, Match: c.match}); got.Reason != c.reason {
				t.Errorf("%+v, want %s", got, c.reason)
			}
			seen[c.reason] = true
		})
	}
	if len(seen) != 8 {
		t.Errorf("seen %v", seen)
	}
}

// The prompts of a menu, in their order: what is said after nothing, after a
// wrong key, and at the end.
func TestPromptsOfMenus(t *testing.T) {
	story(t, func(t *testing.T, s *scene) {
		s.press(16*time.Second, "9") // 4 s prompt, 5 s, 1.5 s "no input", 4 s prompt
		got := s.Menu(t.Context(), flows.MenuRequest{Match: words{"1"}, Menu: &flows.IVRMenu{
			Prompt: "main", NoInputPrompt: "noinput", InvalidPrompt: "invalid", ExitPrompt: "exit", MaxAttempts: 2}})
		want := []string{"main", "noinput", "main", "invalid", "main", "exit"}
		if played := s.phone.heard(); !slices.Equal(played, want) || got.Attempts != 3 {
			t.Errorf("heard %v, want %v; %+v", played, want, got)
		}
	})
}

// A key that is held is told once somebody has it, or has thrown it away, and not
// before.
func TestKeysAreHeldUntilTheyAreTaken(t *testing.T) {
	var told []string
	k := NewKeypad()
	for _, symbol := range []byte("12345") {
		k.Hold(key(symbol), func() { told = append(told, string(symbol)) })
	}
	if len(told) != 0 {
		t.Errorf("told %v while all wait", told)
	}
	if d, ok := k.next(); !ok || d.Symbol != '1' || !reflect.DeepEqual(told, []string{"1"}) {
		t.Errorf("took %v, told %v", d, told)
	}
	k.Flush()
	if !reflect.DeepEqual(told, []string{"1", "2", "3", "4", "5"}) {
		t.Errorf("told %v", told)
	}
}
