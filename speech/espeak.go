package speech

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"b2bua/media/audio"
)

// Espeak speaks a hundred languages with the espeak-ng program. It is only
// ever run as a process of its own: its licence is the GPL.
type Espeak struct {
	Program string // default "espeak-ng"

	mu        sync.Mutex
	languages []string // such as de, en-us, zh; lower case; empty until asked
}

// espeakVoice is a language with perhaps a variant: de, en-us, de+f2. The
// program takes file names for voices too, so nothing else gets through.
var espeakVoice = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{1,12})*(\+[a-z0-9]{1,12})?$`)

// Name is espeak-ng.
func (*Espeak) Name() string { return "espeak-ng" }

// Speaks tells whether there is a voice for the language.
func (e *Espeak) Speaks(language string) bool { return e.voice(language) != "" }

// Has tells whether a voice is a language of espeak-ng, perhaps with a variant.
func (e *Espeak) Has(voice string) bool {
	language, _, _ := strings.Cut(voice, "+")
	return espeakVoice.MatchString(voice) && slices.Contains(e.known(), language)
}

// Speak runs espeak-ng with the text on its standard input.
func (e *Espeak) Speak(ctx context.Context, t Text) (audio.Clip, error) {
	voice := e.voice(t.Language)
	if e.Has(t.Voice) {
		voice = t.Voice
	}
	if voice == "" {
		return audio.Clip{}, fmt.Errorf("espeak-ng does not speak %q", t.Language)
	}
	return speak(ctx, strings.NewReader(t.Text+"\n"), e.program(), "--stdin", "--stdout", "-b", "1", "-v", voice)
}

func (e *Espeak) program() string {
	if e.Program == "" {
		return "espeak-ng"
	}
	return e.Program
}

// voice is the best voice for a language: its region, the language itself,
// its home (fr-fr), or any region of it.
func (e *Espeak) voice(language string) string {
	language = normal(language)
	known := e.known()
	for _, want := range []string{language, base(language), base(language) + "-" + base(language)} {
		if slices.Contains(known, want) {
			return want
		}
	}
	at := slices.IndexFunc(known, func(k string) bool { return base(k) == base(language) })
	if at < 0 {
		return ""
	}
	return known[at]
}

// known asks the program which languages it has, until it has answered once.
func (e *Espeak) known() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.languages) > 0 {
		return e.languages
	}
	table, err := run(context.Background(), nil, 1<<20, e.program(), "--voices")
	if err != nil {
		return nil // no program, no languages: another provider is asked
	}
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 1 && espeakVoice.MatchString(f[1]) {
			e.languages = append(e.languages, f[1])
		}
	}
	return e.languages
}
