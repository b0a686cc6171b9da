package ivr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"strings"
	"time"

	"b2bua/flows"
	"b2bua/media/audio"
	"b2bua/speech"
)

// Speaker is what the loader needs of *speech.Speaker.
type Speaker interface {
	Utter(ctx context.Context, t speech.Text) (clip audio.Clip, spoken bool, err error)
}

// PromptSources is where a PromptLoader finds prompts.
type PromptSources struct {
	Speech Speaker
	Opus   func() (audio.OpusDecoder, error) // nil: files of Ogg Opus are refused
	Dir    string                            // prompts folder: prompt_ID.wav or .mp3, and named files
	// Stored is the prompt that is kept under an id, or nil.
	Stored func(id string) *flows.Prompt
	// StoredDir is where the files of stored prompts are, below Dir.
	StoredDir string
	// Fetch gets a URL, unless it is what it was: then the error is ErrUnchanged.
	// Whom it dials is its business. Nil means that URLs are refused. Size and
	// time are limited here.
	Fetch func(ctx context.Context, url string, was Version) (io.ReadCloser, Version, error)
}

// Version tells one state of what a URL holds from another, by what its server
// said of it.
type Version struct{ ETag, Modified string }

// ErrUnchanged says that a URL holds what it held before.
var ErrUnchanged = errors.New("it is what it was")

const (
	promptRate = 8000 // what media plays

	fetchTime      = 10 * time.Second
	fetchBytes     = 16 << 20
	promptTime     = 10 * time.Minute
	urlFreshness   = 5 * time.Minute
	staleFreshness = 30 * time.Second // of what a server no longer gives
	fileFreshness  = 5 * time.Second  // an uploaded prompt that is replaced is heard soon
	tonesFreshness = 5 * time.Second  // of a text that could not be spoken
	textFreshness  = 24 * time.Hour   // and stored prompts: another sound has another file
)

// ErrNoPrompt says that there is no such prompt.
var ErrNoPrompt = errors.New("no such prompt")

// PromptLoader is the standard Prompts: texts are spoken, ids and names are
// files, URLs are fetched. What was loaded lately is kept, ready to play.
type PromptLoader struct {
	from  PromptSources
	log   *slog.Logger
	ready *shelf
}

// NewPromptLoader makes a loader.
func NewPromptLoader(from PromptSources, log *slog.Logger) *PromptLoader {
	return &PromptLoader{from: from, log: log, ready: newShelf(shelfSamples)}
}

// Load gives the prompt as a clip of 8 kHz.
func (l *PromptLoader) Load(ctx context.Context, p Prompt) (audio.Clip, error) {
	if flows.IsPromptID(p.Ref) && l.from.Stored != nil {
		if kept := l.from.Stored(p.Ref); kept != nil {
			p = l.meant(kept)
		}
	}
	load, fresh := l.kind(p)
	if clip, ok := l.ready.get(p); ok {
		return clip, nil
	}
	if flows.IsURL(p.Ref) {
		return l.refresh(ctx, p)
	}
	clip, whole, err := load(ctx, p)
	if err != nil {
		return audio.Clip{}, err
	}
	if !whole {
		fresh = tonesFreshness
	}
	clip = clip.Resample(promptRate)
	l.ready.put(p, clip, fresh)
	return clip, nil
}

// meant is what stands behind a stored prompt: its file, or what it could not be
// made of when it was saved.
func (l *PromptLoader) meant(kept *flows.Prompt) Prompt {
	switch {
	case kept.File != "":
		return Prompt{Ref: storedRef + path.Join(l.from.StoredDir, kept.File)}
	case kept.URL != "":
		return Prompt{Ref: kept.URL}
	}
	return Prompt{Ref: kept.Text, Language: kept.Language, Voice: kept.Voice}
}

// storedRef marks files that never change. Nobody can write it in a prompt: it is
// no printable text.
const storedRef = "\x00stored:"

// loading gives the sound of a prompt; whole is false when it is tones instead.
type loading func(ctx context.Context, p Prompt) (clip audio.Clip, whole bool, err error)

// kind tells how a prompt is loaded and for how long that stays true.
func (l *PromptLoader) kind(p Prompt) (load loading, fresh time.Duration) {
	switch {
	case flows.IsURL(p.Ref):
		return nil, urlFreshness // by refresh
	case strings.HasPrefix(p.Ref, storedRef):
		return l.file, textFreshness
	case flows.IsPromptID(p.Ref):
		return l.uploaded, fileFreshness
	case strings.HasPrefix(p.Ref, "file:"):
		return l.file, fileFreshness
	}
	return l.speak, textFreshness
}

func (l *PromptLoader) speak(ctx context.Context, p Prompt) (audio.Clip, bool, error) {
	clip, spoken, err := l.from.Speech.Utter(ctx, speech.Text{Text: p.Ref, Language: p.Language, Voice: p.Voice})
	if err != nil {
		return audio.Clip{}, false, fmt.Errorf("speak prompt: %w", err)
	}
	return clip, spoken, nil
}

func (l *PromptLoader) uploaded(_ context.Context, p Prompt) (audio.Clip, bool, error) {
	return l.found(p.Ref, p.Ref+".wav", p.Ref+".mp3")
}

func (l *PromptLoader) file(_ context.Context, p Prompt) (audio.Clip, bool, error) {
	return l.found(p.Ref, strings.TrimPrefix(strings.TrimPrefix(p.Ref, storedRef), "file:"))
}

func (l *PromptLoader) found(ref string, names ...string) (audio.Clip, bool, error) {
	clip, err := l.open(ref, names...)
	return clip, err == nil, err
}

// rate is what every prompt is decoded to.
func (*PromptLoader) rate(int) int { return promptRate }

// open decodes the first of some files that exists. The folder is opened as a
// root: names with .. and links that lead outside find nothing.
func (l *PromptLoader) open(ref string, names ...string) (audio.Clip, error) {
	root, err := os.OpenRoot(l.from.Dir)
	if err != nil {
		return audio.Clip{}, fmt.Errorf("open prompt %q: %w", ref, err)
	}
	defer func() { _ = root.Close() }()
	for _, name := range names {
		f, err := root.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return audio.Clip{}, fmt.Errorf("open prompt %q: %w", ref, errors.Join(ErrNoPrompt, err))
		}
		defer f.Close()
		if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
			return audio.Clip{}, fmt.Errorf("open prompt %q: not a file: %w", ref, ErrNoPrompt)
		}
		clip, err := audio.DecodeAt(f, audio.Limits{Duration: promptTime, Opus: l.from.Opus}, l.rate)
		if err != nil {
			return audio.Clip{}, fmt.Errorf("read prompt %q: %w", ref, err)
		}
		return clip, nil
	}
	return audio.Clip{}, fmt.Errorf("open prompt %q: %w", ref, ErrNoPrompt)
}
