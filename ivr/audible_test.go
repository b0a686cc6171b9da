package ivr

import (
	"context"
	"errors"
	"testing"
	"time"

	"b2bua/media/audio"
	"b2bua/speech"
)

type broken struct{ err error }

func (b broken) Load(context.Context, Prompt) (audio.Clip, error) { return audio.Clip{}, b.err }

func TestWhatCannotBeHadIsTonesAndTold(t *testing.T) {
	var told []error
	load := func(ctx context.Context, err error) (audio.Clip, error) {
		told = nil
		return (&Audible{broken{err}, func(_ Prompt, err error) { told = append(told, err) }}).Load(ctx, Prompt{Ref: "prompt_gone"})
	}
	clip, err := load(t.Context(), ErrNoPrompt)
	if err != nil || clip.Rate != promptRate || clip.Duration() < 500*time.Millisecond || len(told) != 1 || !errors.Is(told[0], ErrNoPrompt) {
		t.Errorf("%v of %d Hz, %v, told %v", clip.Duration(), clip.Rate, err, told)
	}
	if _, err := load(t.Context(), speech.ErrText); !errors.Is(err, speech.ErrText) || told != nil {
		t.Errorf("nothing to speak: %v, told %v", err, told)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := load(gone, context.Canceled); !errors.Is(err, context.Canceled) || told != nil {
		t.Errorf("the caller is gone: %v, told %v", err, told)
	}
}
