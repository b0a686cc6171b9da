package ivr

import (
	"context"
	"errors"

	"b2bua/media/audio"
	"b2bua/speech"
)

// Audible is prompts that are never silence: what cannot be had is three short
// tones instead, and told. A text with nothing to speak in it stays an error.
type Audible struct {
	Prompts
	Failed func(p Prompt, err error)
}

// Load gives the prompt, or the tones.
func (a *Audible) Load(ctx context.Context, p Prompt) (audio.Clip, error) {
	clip, err := a.Prompts.Load(ctx, p)
	if err == nil || ctx.Err() != nil || errors.Is(err, speech.ErrText) {
		return clip, err
	}
	a.Failed(p, err)
	return speech.LastResort().Resample(promptRate), nil
}
