package prompts

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"b2bua/flows"
)

// Warmer has what callers will hear spoken and fetched when it is saved, so that
// no caller waits for it; and knows what could not be.
type Warmer struct {
	load func(ctx context.Context, s flows.Spoken) error
	log  *slog.Logger
	news chan *flows.Plan // the newest that was not looked at

	mu     sync.Mutex
	failed map[sound]string // why there is no sound
}

// sound is a text or URL as it is said, wherever it stands.
type sound struct{ ref, language, voice string }

// warmTime is what one sound may take.
const warmTime = 30 * time.Second

// NewWarmer makes one that loads by load; Run does the work.
func NewWarmer(load func(ctx context.Context, s flows.Spoken) error, log *slog.Logger) *Warmer {
	return &Warmer{load: load, log: log, news: make(chan *flows.Plan, 1), failed: map[sound]string{}}
}

// Planned tells of a new plan. It never waits.
func (w *Warmer) Planned(p *flows.Plan) {
	for {
		select {
		case w.news <- p:
			return
		default:
		}
		select {
		case <-w.news: // an older one that nobody has looked at
		default:
		}
	}
}

// Run loads what plans bring, until ctx ends.
func (w *Warmer) Run(ctx context.Context) error {
	known := map[sound]bool{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case p := <-w.news:
			known = w.warm(ctx, p, known)
		}
	}
}

// warm loads what the plan has and the one before did not, or what failed then.
// It gives what is known now.
func (w *Warmer) warm(ctx context.Context, p *flows.Plan, known map[sound]bool) map[sound]bool {
	now := map[sound]bool{}
	for _, s := range p.Spoken() {
		key := sound{s.Ref, s.Language, s.Voice}
		if now[key] || flows.IsPromptID(s.Ref) {
			continue
		}
		if ctx.Err() != nil {
			return known
		}
		now[key] = known[key] || w.one(ctx, s, key)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for key := range w.failed {
		if _, there := now[key]; !there {
			delete(w.failed, key)
		}
	}
	return now
}

func (w *Warmer) one(ctx context.Context, s flows.Spoken, key sound) bool {
	limited, cancel := context.WithTimeout(ctx, warmTime)
	defer cancel()
	err := w.load(limited, s)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		delete(w.failed, key)
		return true
	}
	if ctx.Err() == nil {
		w.log.Warn("what callers will hear cannot be had", "path", s.Path, "err", err)
		w.failed[key] = err.Error()
	}
	return false
}

// Warnings tells which of the sounds could not be had when they were saved.
func (w *Warmer) Warnings(list []flows.Spoken) (out []flows.Warning) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range list {
		if why, bad := w.failed[sound{s.Ref, s.Language, s.Voice}]; bad {
			out = append(out, flows.Warning{Path: s.Path, Code: flows.WarnNoSound, Fix: "save it again once that is mended",
				Message: fmt.Sprintf("there is no sound for it, callers hear three short tones instead: %s", why)})
		}
	}
	return out
}
