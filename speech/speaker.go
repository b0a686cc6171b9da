package speech

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"b2bua/media/audio"
)

// Config of a Speaker. Zero values mean the defaults.
type Config struct {
	CacheDir  string     // where sounds are kept; empty: nowhere
	CacheSize int64      // bytes; default 512 MiB
	Providers []Provider // asked in order; nil means flite, then espeak-ng
	MaxText   int        // characters; default 4000, the rest is not spoken
	Processes int        // programs at a time; default 2, at most 16
}

// Speaker speaks texts with the first provider that can, and remembers.
type Speaker struct {
	cfg   Config
	log   *slog.Logger
	cache cache
	slots chan struct{} // one token for each program that may run

	unspoken atomic.Int64

	mu     sync.Mutex
	making map[string]chan struct{} // texts being spoken now, by key
	failed map[string]time.Time     // when a provider failed last
}

// distrust is for how long a provider that failed is asked last.
const distrust = 30 * time.Second

// New makes a speaker; it starts nothing and needs no closing.
func New(c Config, log *slog.Logger) *Speaker {
	if c.Providers == nil {
		c.Providers = []Provider{Flite{}, &Espeak{}}
	}
	if c.MaxText <= 0 {
		c.MaxText = 4000
	}
	if c.Processes <= 0 {
		c.Processes = 2
	}
	if c.CacheSize <= 0 {
		c.CacheSize = 512 << 20
	}
	return &Speaker{
		cfg: c, log: log, slots: make(chan struct{}, min(c.Processes, 16)),
		cache:  cache{dir: c.CacheDir, most: c.CacheSize, size: -1},
		making: map[string]chan struct{}{}, failed: map[string]time.Time{},
	}
}

// ErrUnspoken says that no provider could speak a text.
var ErrUnspoken = errors.New("no speech provider could speak the text")

// Say gives the sound of a text. When no provider can speak it, LastResort is
// given instead, and it is logged and counted: a caller never hears nothing. The
// error is ErrText for a text with nothing in it, or the context's.
func (s *Speaker) Say(ctx context.Context, t Text) (audio.Clip, error) {
	clip, _, err := s.Utter(ctx, t)
	return clip, err
}

// Utter is Say that tells whether the sound is speech, or LastResort.
func (s *Speaker) Utter(ctx context.Context, t Text) (clip audio.Clip, spoken bool, err error) {
	clip, err = s.Render(ctx, t)
	if !errors.Is(err, ErrUnspoken) {
		return clip, err == nil, err
	}
	s.unspoken.Add(1)
	s.log.Warn("text cannot be spoken, playing tones instead", "language", t.Language, "err", err)
	return LastResort(), false, nil
}

// Unspoken is how many texts were tones instead.
func (s *Speaker) Unspoken() int { return int(s.unspoken.Load()) }

// Render is Say with ErrUnspoken where that gives tones.
func (s *Speaker) Render(ctx context.Context, t Text) (audio.Clip, error) {
	text, cut := clean(t.Text, s.cfg.MaxText)
	if cut {
		s.log.Warn("text is too long to be spoken whole", "characters", s.cfg.MaxText)
	}
	if !speakable(text) {
		return audio.Clip{}, ErrText
	}
	t.Text = text
	if t.Language == "" {
		t.Language = defaultLanguage
	}
	var errs []error
	for _, p := range s.order(t) {
		clip, err := s.ask(ctx, p, t)
		if err == nil {
			return clip, nil
		}
		if ctx.Err() != nil {
			return audio.Clip{}, fmt.Errorf("speak: %w", context.Cause(ctx))
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		return audio.Clip{}, fmt.Errorf("%w: none speaks %q", ErrUnspoken, t.Language)
	}
	return audio.Clip{}, fmt.Errorf("%w: %w", ErrUnspoken, errors.Join(errs...))
}

// order is the chain of providers for a text: those that have its voice, then
// those that speak its language; those that
// failed lately go last.
func (s *Speaker) order(t Text) []Provider {
	var chain []Provider
	add := func(fits func(Provider) bool) {
		for _, p := range s.cfg.Providers {
			if !slices.Contains(chain, p) && fits(p) {
				chain = append(chain, p)
			}
		}
	}
	if t.Voice != "" {
		add(func(p Provider) bool { return p.Has(t.Voice) })
	}
	add(func(p Provider) bool { return p.Speaks(t.Language) })
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortStableFunc(chain, func(a, b Provider) int { return s.distrusted(a) - s.distrusted(b) })
	return chain
}

func (s *Speaker) distrusted(p Provider) int {
	if at, ok := s.failed[p.Name()]; ok && time.Since(at) < distrust {
		return 1
	}
	return 0
}

// ask gives what a provider makes of a text, from the cache when it is there.
// Of several callers who want the same text one asks and the others wait.
func (s *Speaker) ask(ctx context.Context, p Provider, t Text) (audio.Clip, error) {
	k := key(p, t)
	for {
		if clip, ok := s.cache.get(k); ok {
			return clip, nil
		}
		s.mu.Lock()
		other, busy := s.making[k]
		if !busy {
			s.making[k] = make(chan struct{})
		}
		s.mu.Unlock()
		if !busy {
			break
		}
		select {
		case <-other:
		case <-ctx.Done():
			return audio.Clip{}, context.Cause(ctx)
		}
	}
	defer func() {
		s.mu.Lock()
		close(s.making[k])
		delete(s.making, k)
		s.mu.Unlock()
	}()
	return s.make(ctx, p, t, k)
}

func (s *Speaker) make(ctx context.Context, p Provider, t Text, k string) (audio.Clip, error) {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return audio.Clip{}, context.Cause(ctx)
	}
	clip, err := p.Speak(ctx, t)
	<-s.slots
	if err == nil && len(clip.Samples) == 0 {
		err = errors.New("no sound")
	}
	if ctx.Err() == nil {
		s.note(p, err)
	}
	if err != nil {
		return audio.Clip{}, fmt.Errorf("speak with %s: %w", p.Name(), err)
	}
	// A full disk costs the cache, not the prompt.
	if err := s.cache.put(k, clip); err != nil {
		s.log.Warn("speech is not kept", "err", err)
	}
	return clip, nil
}

func (s *Speaker) note(p Provider, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed[p.Name()] = time.Now()
	} else {
		delete(s.failed, p.Name())
	}
}

// LastResort is heard when nothing can speak: three short falling tones, so
// that the caller knows that the line is alive and something is amiss.
func LastResort() audio.Clip {
	const rate = 8000
	out := audio.Clip{Rate: rate}
	for _, hertz := range []float64{950, 800, 650} {
		out.Samples = append(out.Samples, audio.Tone(rate, 200*time.Millisecond, -20, hertz).Samples...)
		out.Samples = append(out.Samples, audio.Silence(rate, 60*time.Millisecond).Samples...)
	}
	return out
}
