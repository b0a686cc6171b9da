package prompts

import (
	"context"
	"fmt"
	"io"

	"b2bua/media/audio"
	"b2bua/media/opus"
)

// keptRate is the rate a prompt is kept at: that of telephones, or of their
// wideband where the sound has it.
func keptRate(from int) int {
	if from < 16000 {
		return 8000
	}
	return 16000
}

// decode makes a clip of a stranger's file. Few are decoded at a time, each as it
// is read, so that the memory taken is what their sound lasts, whatever the file
// says of itself; and none for longer than the deadline.
func (l *Library) decode(ctx context.Context, file io.Reader) (audio.Clip, error) {
	limited, cancel := context.WithTimeout(ctx, l.cfg.Deadline)
	defer cancel()
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-limited.Done():
		return audio.Clip{}, ended(ctx)
	}
	clip, err := audio.DecodeAt(&timed{limited, file}, audio.Limits{Bytes: l.cfg.Bytes, Duration: l.cfg.Duration, Opus: OpusDecoder}, keptRate)
	switch {
	case limited.Err() != nil:
		return audio.Clip{}, ended(ctx)
	case err != nil:
		return audio.Clip{}, err
	case len(clip.Samples) == 0:
		return audio.Clip{}, ErrSilent
	}
	return clip, nil
}

// ended is the caller's reason to give up, or else ours.
func ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return ErrSlow
}

// OpusDecoder makes the decoder of Ogg Opus files.
func OpusDecoder() (audio.OpusDecoder, error) {
	d, err := opus.NewDecoder()
	if err != nil {
		return nil, fmt.Errorf("the switch has no library for Opus: %w", err)
	}
	return d, nil
}

// timed is a reader that fails once its time is up, and whoever decodes what it
// reads with it.
type timed struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (t *timed) Read(p []byte) (int, error) {
	if t.ctx.Err() != nil {
		return 0, context.Cause(t.ctx)
	}
	return t.r.Read(p)
}
