package ivr

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"b2bua/media"
)

// ErrHangup is the cause to end a context with when the caller hangs up: menus
// then end with "hangup", and with "cancelled" for any other cause.
var ErrHangup = errors.New("the caller hung up")

// Line is what ivr needs of *media.Session.
type Line interface {
	Play(src media.Source) *media.Playback
	AddTap(t media.Tap)
	RemoveTap(t media.Tap)
}

// Desk serves one caller: it speaks, asks, and takes messages.
type Desk struct {
	line    line
	keys    *Keypad
	prompts Prompts
	log     *slog.Logger
}

// New makes the desk of one call. Keys pressed by the caller go into keys.
func New(l Line, keys *Keypad, prompts Prompts, log *slog.Logger) *Desk {
	return newDesk(session{l}, keys, prompts, log)
}

func newDesk(l line, keys *Keypad, prompts Prompts, log *slog.Logger) *Desk {
	return &Desk{line: l, keys: keys, prompts: prompts, log: log}
}

// line is Line with the playback as an interface.
type line interface {
	play(src media.Source) playback
	AddTap(t media.Tap)
	RemoveTap(t media.Tap)
}

type playback interface {
	Done() <-chan struct{}
	Stop()
}

type session struct{ Line }

func (s session) play(src media.Source) playback { return s.Play(src) }

// Say speaks a prompt to its end. Keys pressed meanwhile wait.
func (d *Desk) Say(ctx context.Context, p Prompt) error {
	if p.Ref == "" {
		return nil
	}
	clip, err := d.prompts.Load(ctx, p)
	if err != nil {
		return fmt.Errorf("load prompt: %w", err)
	}
	return d.hear(ctx, media.ClipSource(clip, false))
}

// hear plays a source to its end.
func (d *Desk) hear(ctx context.Context, src media.Source) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	pb := d.line.play(src)
	select {
	case <-pb.Done():
		return nil
	case <-ctx.Done():
		pb.Stop()
		return context.Cause(ctx)
	}
}
