package call

import (
	"context"
	"errors"
	"os"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/recorder"
	"b2bua/store"
)

// tape is the recording of the call. It listens on the caller's leg, where both
// directions share one time line and which outlives transfers.
type tape struct {
	rec  *recorder.Recording
	row  store.Recording
	rows chan state    // states of the row to be kept
	done chan struct{} // closed when the file is complete and told of
}

// state is one of the recording's row; kept is closed when it is in the index,
// so that whoever asked for it finds it there.
type state struct {
	store.Recording
	kept chan struct{}
}

// keep hands the row as it is now to watchTape. On the loop.
func (t *tape) keep() (kept chan struct{}) {
	r := state{t.row, make(chan struct{})}
	select {
	case t.rows <- r:
	default: // many pauses in a moment: the row at the end is what counts
		close(r.kept)
	}
	return r.kept
}

// recordByFlow starts the recording that the flow asks for.
func (c *Call) recordByFlow() {
	if c.flow == nil || c.flow.Recording == nil || !c.flow.Recording.Enabled || c.tape != nil {
		return
	}
	c.recordAs(*c.flow.Recording)
}

// recordForQueue starts the recording that a queue asks for: as the flow would
// have it, if the flow says how.
func (c *Call) recordForQueue() {
	if c.tape != nil || c.taping != nil {
		return
	}
	want := flows.Recording{Enabled: true}
	if c.flow != nil && c.flow.Recording != nil {
		want = *c.flow.Recording
	}
	want.ApplyDefaults()
	c.recordAs(want)
}

// recordAs starts a recording. On the loop.
func (c *Call) recordAs(want flows.Recording) {
	c.taping = make(chan struct{})
	c.behind(func() {
		_, _, err := c.openTape(want)
		if err == nil || errors.Is(err, ErrEnded) {
			return
		}
		c.log.Error("start the recording", "err", err)
		_ = c.loop.Call(context.Background(), func() {
			now := c.now()
			c.tell(&events.Recording{
				Event: events.RecordingFailed, RecordingID: events.NewID("rec_"), Status: "failed", Reason: err.Error(), At: now,
			}, now)
		})
	})
}

// openTape begins to record, once taping is set. Not on the loop: it opens a
// file, and disks can be slow.
func (c *Call) openTape(want flows.Recording) (t *tape, kept chan struct{}, err error) {
	rec, err := recorder.Start(recorder.Options{
		Dir: c.sys.RecordingsDir, ID: events.NewID("rec_"), Format: want.Format, Participant: want.Participant, Channels: want.Channels,
		MaxDuration: time.Duration(want.MaxDuration) * time.Second, Log: c.log,
	})
	if err != nil {
		_ = c.loop.Call(context.Background(), c.taped)
		return nil, nil, err
	}
	err = c.command(context.Background(), func() error {
		t, kept = c.roll(rec, want)
		c.taped()
		return nil
	})
	if err != nil { // the call has ended meanwhile: there is nothing to record
		_ = c.loop.Call(context.Background(), c.taped)
		err = errors.Join(err, os.Remove(rec.Stop().Path))
	}
	return t, kept, err
}

// taped: the recording is open, or will never be. On the loop.
func (c *Call) taped() {
	if c.taping != nil {
		close(c.taping)
		c.taping = nil
	}
}

// roll lets the recording hear the call. On the loop.
func (c *Call) roll(rec *recorder.Recording, want flows.Recording) (t *tape, kept chan struct{}) {
	t = &tape{rec: rec, rows: make(chan state, 8), done: make(chan struct{})}
	file := rec.File()
	t.row = store.Recording{
		ID: file.ID, CallID: c.id, Status: "recording", Format: file.Format, Participant: want.Participant,
		Channels: file.Channels, SampleRate: file.SampleRate, Path: file.Path, Warning: file.Warning, StartedAt: c.sys.Now(),
	}
	c.tape = t
	c.record.Recordings = append(c.record.Recordings, file.ID)
	kept = t.keep()
	now := c.now()
	c.tell(&events.Recording{
		Event: events.RecordingStarted, RecordingID: file.ID, Status: "recording", Format: file.Format, Channels: file.Channels, At: now,
	}, now)
	if c.transfer.attending() { // it was being opened when the consultation began
		c.transfer.hushed = c.turnTape(true)
	}
	c.caller.sound.AddTap(rec)
	c.behind(func() { c.watchTape(t) })
	return t, kept
}

// watchTape keeps the recording's row as it changes, waits for the file to be
// complete, and tells it.
func (c *Call) watchTape(t *tape) {
	defer close(t.done)
	for open := true; open; {
		select {
		case r := <-t.rows:
			c.keepRow(&r.Recording)
			close(r.kept)
		case <-t.rec.Done():
			open = false
		}
	}
	r := t.rec.Result()
	var row store.Recording
	var tell func()
	_ = c.loop.Call(context.Background(), func() {
		c.caller.sound.RemoveTap(t.rec)
		if c.tape == t {
			c.tape = nil
		}
		row, tell = c.recorded(t, r)
	})
	c.keepRow(&row)
	_ = c.loop.Call(context.Background(), tell)
}

// recorded completes the recording's row; what it returns tells the end.
func (c *Call) recorded(t *tape, r recorder.Result) (row store.Recording, tell func()) {
	now := c.now()
	row = t.row
	row.Status, row.Format, row.Channels, row.SampleRate = "completed", r.Format, r.Channels, r.SampleRate
	row.Duration, row.Size, row.SHA256, row.Dropped = events.Seconds(r.Duration), r.Size, r.SHA256, r.Dropped
	row.Path, row.Warning, row.EndedAt = r.Path, r.Warning, now
	f := &events.Recording{
		Event: events.RecordingCompleted, RecordingID: row.ID, Status: "completed", Format: row.Format,
		Channels: row.Channels, Duration: row.Duration, Size: row.Size, SHA256: row.SHA256,
		URL: "/v2/recordings/" + row.ID + "/audio", Reason: r.Reason, At: now,
	}
	if r.Err != nil {
		c.log.Error("recording", "recording", row.ID, "err", r.Err)
		row.Status, row.Error = "failed", r.Err.Error()
		f.Event, f.Status, f.Reason = events.RecordingFailed, "failed", r.Err.Error()
	}
	if r.Dropped > 0 {
		c.log.Warn("recording lost frames", "recording", row.ID, "frames", r.Dropped)
	}
	return row, func() { c.tell(f, now) }
}

// keepRow writes the recording's row in the index. Not on the loop.
func (c *Call) keepRow(row *store.Recording) {
	if err := c.sys.Store.Recordings().Save(context.Background(), row); err != nil {
		c.log.Error("keep the recording's row", "recording", row.ID, "err", err)
	}
}

// finishTape ends the recording and waits until it is told of. Not on the loop.
func (c *Call) finishTape() {
	var t *tape
	_ = c.loop.Call(context.Background(), func() { t = c.tape })
	if t == nil {
		return
	}
	t.rec.Finish()
	<-t.done
}

// StartRecording begins to record, for the API.
func (c *Call) StartRecording(ctx context.Context, want flows.Recording) (id string, err error) {
	var t *tape
	var kept chan struct{}
	err = c.command(ctx, func() error {
		switch {
		case !c.caller.answered:
			return &StateError{State: c.record.Status, Verb: "record", Need: "answer the call first"}
		case c.transfer.attending():
			return c.consulting("record")
		case c.tape != nil || c.taping != nil:
			return &StateError{State: "recording", Verb: "record", Need: "stop the present recording first"}
		}
		c.commanded()
		c.taping = make(chan struct{})
		return nil
	})
	if err != nil {
		return "", err
	}
	if t, kept, err = c.openTape(want); err != nil {
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

// StopRecording ends the recording and waits until its file is complete.
func (c *Call) StopRecording(ctx context.Context) error {
	var t *tape
	err := c.onTape(ctx, "record/stop", func(running *tape) error {
		t = running
		t.rec.Finish()
		return nil
	})
	if err != nil {
		return err
	}
	select {
	case <-t.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// PauseRecording keeps nothing of what is said until ResumeRecording.
func (c *Call) PauseRecording(ctx context.Context) error {
	return c.retape(ctx, "record/pause", "paused", true)
}

// ResumeRecording goes on after a pause.
func (c *Call) ResumeRecording(ctx context.Context) error {
	return c.retape(ctx, "record/resume", "recording", false)
}

// retape changes the state of the running recording, tells it, and waits until
// it can be read.
func (c *Call) retape(ctx context.Context, verb, status string, pause bool) error {
	var t *tape
	var kept chan struct{}
	err := c.onTape(ctx, verb, func(running *tape) error {
		t = running
		switch {
		case c.transfer.attending():
			return c.consulting(verb)
		case t.row.Status == status:
			return &StateError{State: status, Verb: verb, Need: "that is what the recording does already"}
		}
		kept = c.turn(t, pause)
		return nil
	})
	if err != nil {
		return err
	}
	return t.inIndex(ctx, kept)
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

// turnTape does so with the recording that runs, if any, and reports whether that
// has changed anything. On the loop.
func (c *Call) turnTape(pause bool) bool {
	if c.tape == nil || (c.tape.row.Status == "paused") == pause {
		return false
	}
	c.turn(c.tape, pause)
	return true
}

// onTape runs f with the running recording, on the loop; one that is just being
// opened is waited for.
func (c *Call) onTape(ctx context.Context, verb string, f func(*tape) error) error {
	for {
		var opening chan struct{}
		err := c.command(ctx, func() error {
			switch {
			case c.tape != nil:
				return f(c.tape)
			case c.taping != nil:
				opening = c.taping
				return nil
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
