package speech

import (
	"context"
	"slices"
	"strings"

	"b2bua/media/audio"
)

// fliteVoices are the voices built into flite. Only these are ever handed to
// it: it takes file names and URLs for voices too.
var fliteVoices = []string{"slt", "awb", "kal", "kal16", "rms"}

// Flite speaks English with the flite program.
type Flite struct {
	Program string // default "flite"
}

// Name is flite.
func (Flite) Name() string { return "flite" }

// Speaks English only.
func (Flite) Speaks(language string) bool { return base(language) == "en" }

// Has tells whether flite has that voice.
func (Flite) Has(voice string) bool { return slices.Contains(fliteVoices, voice) }

// Speak runs flite. The text follows -t, which takes the next argument
// whatever it begins with.
func (f Flite) Speak(ctx context.Context, t Text) (audio.Clip, error) {
	program, voice := f.Program, t.Voice
	if program == "" {
		program = "flite"
	}
	if !f.Has(voice) {
		voice = fliteVoices[0]
	}
	return speak(ctx, strings.NewReader(""), program, "-voice", voice, "-t", t.Text, "-o", "/dev/stdout")
}
