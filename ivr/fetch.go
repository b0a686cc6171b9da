package ivr

import (
	"context"
	"errors"
	"fmt"

	"b2bua/media/audio"
)

// refresh gives what a URL holds. What was fetched before is asked for again only
// when it has changed; and where the server does not answer as it should, it is
// heard once more.
func (l *PromptLoader) refresh(ctx context.Context, p Prompt) (audio.Clip, error) {
	old, kept := l.ready.old(p)
	clip, version, err := l.fetch(ctx, p, old.version)
	switch {
	case err == nil:
		clip = clip.Resample(promptRate)
		l.ready.keep(p, clip, urlFreshness, version)
		return clip, nil
	case !kept || ctx.Err() != nil:
		return audio.Clip{}, err
	case errors.Is(err, ErrUnchanged):
		l.ready.keep(p, old.clip, urlFreshness, old.version)
	default:
		l.log.Warn("prompt is played as it was fetched before", "err", err)
		l.ready.keep(p, old.clip, staleFreshness, old.version)
	}
	return old.clip, nil
}

func (l *PromptLoader) fetch(ctx context.Context, p Prompt, was Version) (audio.Clip, Version, error) {
	if l.from.Fetch == nil {
		return audio.Clip{}, was, fmt.Errorf("fetch prompt: URLs are not allowed: %w", ErrNoPrompt)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	body, now, err := l.from.Fetch(ctx, p.Ref, was)
	if err != nil {
		return audio.Clip{}, was, fmt.Errorf("fetch prompt: %w", err)
	}
	defer body.Close()
	// A body that trickles is cut when the time is up, whatever it does.
	stop := context.AfterFunc(ctx, func() { body.Close() })
	defer stop()
	clip, err := audio.DecodeAt(body, audio.Limits{Bytes: fetchBytes, Duration: promptTime, Opus: l.from.Opus}, l.rate)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return audio.Clip{}, was, fmt.Errorf("fetch prompt: %w", err)
	}
	return clip, now, nil
}
