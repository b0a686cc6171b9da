package call

import (
	"context"
	"fmt"

	"b2bua/events"
	"b2bua/flows"
)

// mostTapes is how many recordings of one call may run at once.
const mostTapes = 8

// StartRecording begins to record, for the API. Several recordings of a call may
// go on at once.
func (c *Call) StartRecording(ctx context.Context, want flows.Recording) (id string, err error) {
	err = c.command(ctx, func() error {
		switch {
		case !c.caller.answered:
			return &StateError{State: c.record.Status, Verb: "record", Need: "answer the call first"}
		case c.transfer.attending():
			return c.consulting("record")
		case len(c.tapes)+c.opening >= mostTapes:
			return &StateError{State: "recording", Verb: "record", Need: fmt.Sprintf("stop one of the %d recordings first", mostTapes)}
		}
		c.commanded()
		if c.opening++; want.Announce != "" {
			c.notice()
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	t, kept, err := c.openTape(want)
	if err != nil {
		_ = c.loop.Call(context.Background(), c.announced)
		return "", err
	}
	return t.row.ID, t.inIndex(ctx, kept)
}

// inIndex waits until a state of the row is kept. Not on the loop.
func (t *tape) inIndex(ctx context.Context, kept <-chan struct{}) error {
	select {
	case <-kept:
	case <-t.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// StopRecording ends a recording, all when id is empty, and waits until the files
// are complete.
func (c *Call) StopRecording(ctx context.Context, id string) error {
	var stopped []*tape
	err := c.onTapes(ctx, "record/stop", id, func(running []*tape) error {
		if id == "" {
			c.postponed = nil
		}
		stopped = append(stopped, running...)
		for _, t := range running {
			t.rec.Finish()
		}
		return nil
	})
	for _, t := range stopped {
		if err != nil {
			break
		}
		err = t.inIndex(ctx, nil)
	}
	return err
}

// PauseRecording keeps nothing of what is said until ResumeRecording, in one
// recording, or in all when id is empty.
func (c *Call) PauseRecording(ctx context.Context, id string) error {
	return c.retape(ctx, "record/pause", id, "paused")
}

// ResumeRecording goes on after a pause.
func (c *Call) ResumeRecording(ctx context.Context, id string) error {
	return c.retape(ctx, "record/resume", id, "recording")
}

// retape changes the state of recordings that run, tells it, and waits until it
// can be read.
func (c *Call) retape(ctx context.Context, verb, id, status string) error {
	type turned struct {
		*tape
		kept chan struct{}
	}
	var changed []turned
	err := c.onTapes(ctx, verb, id, func(running []*tape) error {
		if c.transfer.attending() {
			return c.consulting(verb)
		}
		for _, t := range running {
			if t.row.Status != status {
				changed = append(changed, turned{t, c.turn(t, status == "paused")})
			}
		}
		if len(changed) == 0 {
			return &StateError{State: status, Verb: verb, Need: "that is what the recording does already"}
		}
		return nil
	})
	for _, t := range changed {
		if err != nil {
			break
		}
		err = t.inIndex(ctx, t.kept)
	}
	return err
}

// turn pauses a recording, or lets it go on, and tells it. On the loop.
func (c *Call) turn(t *tape, pause bool) (kept chan struct{}) {
	name := events.RecordingResumed
	if t.row.Status = "recording"; pause {
		name, t.row.Status = events.RecordingPaused, "paused"
		t.rec.Pause()
	} else {
		t.rec.Resume()
	}
	kept = t.keep()
	now := c.now()
	c.tell(&events.Recording{Event: name, RecordingID: t.row.ID, Status: t.row.Status, Format: t.row.Format, At: now}, now)
	return kept
}

// hushTapes pauses all recordings that run and gives those. On the loop.
func (c *Call) hushTapes() (hushed []*tape) {
	for _, t := range c.tapes {
		if t.row.Status != "paused" {
			c.turn(t, true)
			hushed = append(hushed, t)
		}
	}
	return hushed
}

// unhush lets those go on that hushTapes has paused. On the loop.
func (c *Call) unhush(hushed []*tape) {
	for _, t := range hushed {
		for _, have := range c.tapes {
			if t == have && t.row.Status == "paused" {
				c.turn(t, false)
			}
		}
	}
}

// onTapes runs f with the running recording of that id, or with all that run, on
// the loop; those that are just being opened are waited for.
func (c *Call) onTapes(ctx context.Context, verb, id string, f func([]*tape) error) error {
	for {
		var opening chan struct{}
		err := c.command(ctx, func() error {
			var some []*tape
			for _, t := range c.tapes {
				if id == "" || t.row.ID == id {
					some = append(some, t)
				}
			}
			switch {
			case len(some) > 0, id == "" && len(c.postponed) > 0 && verb == "record/stop":
				return f(some)
			case c.opening > 0:
				opening = c.opened
				return nil
			case id != "":
				return &StateError{State: c.record.Status, Verb: verb, Need: fmt.Sprintf("no recording %q of this call is going on", id)}
			}
			return &StateError{State: c.record.Status, Verb: verb, Need: "nothing is being recorded"}
		})
		if opening == nil {
			return err
		}
		select {
		case <-opening: // whoever pauses on call.answered must not be told that nothing is recorded
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
