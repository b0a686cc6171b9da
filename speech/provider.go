package speech

import (
	"context"
	"errors"

	"b2bua/media/audio"
)

// Text is what is to be spoken.
type Text struct {
	Text     string
	Language string // BCP 47, such as en-US, which is the default
	Voice    string // a provider's name for a voice; empty or unknown means its default
}

// Provider speaks.
type Provider interface {
	// Name is part of the cache key: another name is another sound.
	Name() string
	// Speaks tells whether the provider can speak that language.
	Speaks(language string) bool
	// Has tells whether the provider has a voice of that name.
	Has(voice string) bool
	// Speak gives the sound of a text that was cleaned and is not empty.
	Speak(ctx context.Context, t Text) (audio.Clip, error)
}

// ErrText says that there is nothing in the text to be spoken.
var ErrText = errors.New("text has nothing to speak")
