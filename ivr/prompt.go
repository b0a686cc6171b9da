package ivr

import (
	"context"

	"b2bua/media/audio"
)

// Prompt is something to be heard. Ref is a text to speak, the id of an
// uploaded prompt (prompt_…), the name of a file of the prompts folder
// (file:…), or an http(s) URL.
type Prompt struct {
	Ref      string
	Language string
	Voice    string
}

// Prompts finds the sound of a prompt. Clips are shared: nobody changes them.
type Prompts interface {
	Load(ctx context.Context, p Prompt) (audio.Clip, error)
}
