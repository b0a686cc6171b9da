package call

import (
	"context"
	"errors"
	"maps"

	"b2bua/internal/loop"
)

// command runs f on the loop for the API, unless the call is over.
func (c *Call) command(ctx context.Context, f func() error) error {
	var err error
	lost := c.loop.Call(ctx, func() {
		if c.ending != nil {
			err = ErrEnded
			return
		}
		err = f()
	})
	if errors.Is(lost, loop.ErrStopped) {
		return ErrEnded
	}
	if lost != nil {
		return lost
	}
	return err
}

// Answer answers the caller for the API, and says something if asked to.
func (c *Call) Answer(ctx context.Context, g Greeting) error {
	err := c.command(ctx, func() error {
		if c.caller.answered {
			return &StateError{State: c.record.Status, Verb: "answer", Need: "only a call that is not answered yet can be answered"}
		}
		if err := c.answer("application"); err != nil {
			return err
		}
		c.commanded()
		return nil
	})
	if err != nil || g.Message == "" && g.AudioURL == "" {
		return err
	}
	_, err = c.Play(ctx, PlayRequest{Message: g.Message, Language: g.Language, Voice: g.Voice, AudioURL: g.AudioURL})
	return err
}

// Decline refuses a call that is not answered yet with a SIP code of 400 to 699.
func (c *Call) Decline(ctx context.Context, code int, reason string) error {
	return c.command(ctx, func() error {
		if c.caller.answered {
			return &StateError{State: c.record.Status, Verb: "decline", Need: "only a call that is not answered yet can be declined; use hangup"}
		}
		c.end(ending{reason: "declined", source: byAPI, code: code, text: reason})
		return nil
	})
}

// Hangup ends the call; reason goes into the record.
func (c *Call) Hangup(ctx context.Context, reason string) error {
	if reason == "" {
		reason = "hangup"
	}
	return c.command(ctx, func() error {
		c.end(ending{reason: reason, source: byAPI, code: 480, text: "Temporarily Unavailable"})
		return nil
	})
}

// SetTags adds tags to the call; an empty value removes one.
func (c *Call) SetTags(ctx context.Context, tags map[string]string) error {
	return c.command(ctx, func() error {
		c.tag(tags)
		return nil
	})
}

// tag merges tags into the record. The map is replaced, never changed: facts
// that were told share it.
func (c *Call) tag(tags map[string]string) {
	if len(tags) == 0 {
		return
	}
	merged := maps.Clone(c.record.Tags)
	if merged == nil {
		merged = map[string]string{}
	}
	for k, v := range tags {
		if v == "" {
			delete(merged, k)
			continue
		}
		merged[k] = v
	}
	c.record.Tags = merged
}
