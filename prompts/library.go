package prompts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"b2bua/flows"
	"b2bua/media/audio"
	"b2bua/speech"
	"b2bua/store"
)

// Config of a Library. Zero values mean the defaults.
type Config struct {
	Dir      string        // of the files; it must exist
	Bytes    int64         // of a file that is sent or fetched; default 16 MiB
	Duration time.Duration // of a prompt; default 10 minutes
	Total    int64         // bytes of all files that are kept; default 1 GiB
	Decoders int           // files decoded at a time; default 2
	Deadline time.Duration // of decoding, speaking or fetching one; default 30 s
}

// Sources are where the sound of prompts comes from besides uploads.
type Sources struct {
	// Speak makes sound of a text.
	Speak func(ctx context.Context, t speech.Text) (audio.Clip, error)
	// Fetch gets a URL; whom it dials is its business.
	Fetch func(ctx context.Context, url string) (io.ReadCloser, error)
}

// Library keeps prompts. It is safe for use by many goroutines.
type Library struct {
	cfg   Config
	store *store.Store
	from  Sources
	log   *slog.Logger
	slots chan struct{} // one token for each file being decoded
}

// Errors of the library; errors.Is finds them.
var (
	// ErrFull says that all prompts together take too much space.
	ErrFull = errors.New("there is no room for another prompt: delete some")
	// ErrSilent says that a file has no sound in it.
	ErrSilent = errors.New("the file holds no sound")
	// ErrSlow says that a file took too long to decode or came too slowly.
	ErrSlow = errors.New("the sound took too long to read")
)

// New makes a library; it starts nothing.
func New(c Config, s *store.Store, from Sources, log *slog.Logger) *Library {
	if c.Bytes <= 0 {
		c.Bytes = 16 << 20
	}
	if c.Duration <= 0 {
		c.Duration = 10 * time.Minute
	}
	if c.Total <= 0 {
		c.Total = 1 << 30
	}
	if c.Decoders <= 0 {
		c.Decoders = 2
	}
	if c.Deadline <= 0 {
		c.Deadline = 30 * time.Second
	}
	return &Library{cfg: c, store: s, from: from, log: log, slots: make(chan struct{}, c.Decoders)}
}

// MaxBytes is how large a file may be.
func (l *Library) MaxBytes() int64 { return l.cfg.Bytes }

// Upload decodes a file and keeps its sound as a new prompt, which it fills in.
func (l *Library) Upload(ctx context.Context, p *flows.Prompt, file io.Reader) error {
	if problems := p.Validate(); len(problems) > 0 {
		return problems.Err()
	}
	clip, err := l.decode(ctx, file)
	if err != nil {
		return err
	}
	p.Source = flows.PromptUploaded
	return l.create(ctx, p, clip)
}

// Record keeps sound of our own, recorded on a call, as a new prompt.
func (l *Library) Record(ctx context.Context, p *flows.Prompt, clip audio.Clip) error {
	if len(clip.Samples) == 0 {
		return ErrSilent
	}
	if clip.Duration() > l.cfg.Duration {
		return fmt.Errorf("a prompt lasts at most %v: %w", l.cfg.Duration, audio.ErrTooLarge)
	}
	p.Source = flows.PromptRecorded
	return l.create(ctx, p, clip.Resample(keptRate(clip.Rate)))
}

// Make keeps a new prompt of its text or URL. When that gives no sound now the
// prompt is kept with its Problem, and tried again whenever it is to be heard.
func (l *Library) Make(ctx context.Context, p *flows.Prompt) error {
	p.ApplyDefaults()
	problems := p.Validate()
	if p.Text == "" && p.URL == "" {
		problems = append(problems, flows.Problem{Path: "text", Slug: flows.SlugInvalidRequest,
			Message: "there is nothing to hear: give a text to speak, or a url to fetch, or send a file instead of JSON"})
	}
	if len(problems) > 0 {
		return problems.Err()
	}
	clip, err := l.make(ctx, p)
	if err != nil {
		return err
	}
	return l.create(ctx, p, clip)
}

// make gives the sound of a prompt's text or URL; none with its Problem set when
// that fails for now.
func (l *Library) make(ctx context.Context, p *flows.Prompt) (audio.Clip, error) {
	limited, cancel := context.WithTimeout(ctx, l.cfg.Deadline)
	defer cancel()
	var clip audio.Clip
	var err error
	switch {
	case p.URL != "":
		p.Source = flows.PromptFetched
		clip, err = l.fetch(limited, p.URL)
	default:
		p.Source = flows.PromptSpoken
		clip, err = l.from.Speak(limited, speech.Text{Text: p.Text, Language: p.Language, Voice: p.Voice})
	}
	p.Problem = ""
	switch {
	case err == nil:
		return clip.Resample(keptRate(clip.Rate)), nil
	case ctx.Err() != nil:
		return audio.Clip{}, context.Cause(ctx)
	case errors.Is(err, audio.ErrFormat), errors.Is(err, audio.ErrTooLarge), errors.Is(err, ErrSilent), errors.Is(err, speech.ErrText):
		return audio.Clip{}, err
	}
	p.Problem = fmt.Sprintf("there is no sound yet, it is tried again when a caller is to hear it: %v", err)
	l.log.Warn("prompt has no sound yet", "prompt", p.Name, "err", err)
	return audio.Clip{}, nil
}

func (l *Library) fetch(ctx context.Context, url string) (audio.Clip, error) {
	if l.from.Fetch == nil {
		return audio.Clip{}, errors.New("fetch prompt: URLs are not allowed")
	}
	body, err := l.from.Fetch(ctx, url)
	if err != nil {
		return audio.Clip{}, fmt.Errorf("fetch prompt: %w", err)
	}
	defer body.Close()
	// A body that trickles is cut when the time is up, whatever it does.
	stop := context.AfterFunc(ctx, func() { body.Close() })
	defer stop()
	return l.decode(ctx, body)
}

// create writes the file, then the row; without its row the file goes again.
func (l *Library) create(ctx context.Context, p *flows.Prompt, clip audio.Clip) error {
	if err := l.write(p, clip); err != nil {
		return err
	}
	file := p.File // the row that comes back has the same
	if err := l.store.Prompts().Create(ctx, p); err != nil {
		return errors.Join(err, l.remove(file))
	}
	return nil
}

// tries is how often a change is begun anew because another came in between.
const tries = 5

// Change lets change work on a copy of a prompt and keeps what it made of it. A
// text, voice or URL that has changed is spoken or fetched anew.
func (l *Library) Change(ctx context.Context, id, ifMatch string, change func(*flows.Prompt) error) (*flows.Prompt, error) {
	return l.change(ctx, id, ifMatch, func(old, now *flows.Prompt) (*audio.Clip, error) {
		if err := change(now); err != nil {
			return nil, err
		}
		own(old, now)
		now.ApplyDefaults()
		if problems := now.Validate(); len(problems) > 0 {
			return nil, problems.Err()
		}
		same := old.Text == now.Text && old.Language == now.Language && old.Voice == now.Voice && old.URL == now.URL
		if now.Text == "" && now.URL == "" || same && now.Problem == "" {
			return nil, nil
		}
		clip, err := l.make(ctx, now)
		return &clip, err
	})
}

// ReplaceSound gives a prompt the sound of another file.
func (l *Library) ReplaceSound(ctx context.Context, id, ifMatch string, file io.Reader) (*flows.Prompt, error) {
	clip, err := l.decode(ctx, file)
	if err != nil {
		return nil, err
	}
	return l.change(ctx, id, ifMatch, func(_, now *flows.Prompt) (*audio.Clip, error) {
		now.Source, now.Text, now.Language, now.Voice, now.URL, now.Problem = flows.PromptUploaded, "", "", "", "", ""
		return &clip, nil
	})
}

// change makes now of old outside of the store's lock, with other sound unless
// that is nil, and keeps it if old is still what there is.
func (l *Library) change(ctx context.Context, id, ifMatch string, to func(old, now *flows.Prompt) (*audio.Clip, error)) (*flows.Prompt, error) {
	rows := l.store.Prompts()
	for try := 1; ; try++ {
		old, err := rows.Get(id)
		if err != nil {
			return nil, err
		}
		now := *old
		clip, err := to(old, &now)
		if err != nil {
			return nil, err
		}
		if clip != nil {
			if err := l.write(&now, *clip); err != nil {
				return nil, err
			}
		}
		match := ifMatch
		if match == "" {
			match = rows.ETag(old)
		}
		kept, err := rows.Update(ctx, id, match, func(x *flows.Prompt) error { *x = now; return nil })
		if err == nil {
			if kept.File != old.File {
				l.forget(old.File)
			}
			return kept, nil
		}
		if clip != nil {
			l.forget(now.File)
		}
		if ifMatch != "" || !errors.Is(err, store.ErrPrecondition) || try == tries {
			return nil, err
		}
	}
}

// own puts back what is not the client's to change.
func own(old, now *flows.Prompt) {
	now.Source, now.Duration, now.SampleRate, now.Size = old.Source, old.Duration, old.SampleRate, old.Size
	now.SHA256, now.Problem, now.File = old.SHA256, old.Problem, old.File
}

// Delete removes a prompt and its file.
func (l *Library) Delete(ctx context.Context, id, ifMatch string) error {
	old, err := l.store.Prompts().Get(id)
	if err != nil {
		return err
	}
	if err := l.store.Prompts().Delete(ctx, id, ifMatch); err != nil {
		return err
	}
	l.forget(old.File)
	return nil
}

// Open gives the file of a prompt, to be read; fs.ErrNotExist when it has none.
func (l *Library) Open(p *flows.Prompt) (*os.File, error) {
	if p.File == "" {
		return nil, fmt.Errorf("open prompt %s: it has no sound of its own: %w", p.ID, fs.ErrNotExist)
	}
	f, err := os.OpenInRoot(l.cfg.Dir, p.File)
	if err != nil {
		return nil, fmt.Errorf("open prompt %s: %w", p.ID, err)
	}
	return f, nil
}
