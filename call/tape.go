package call

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/recorder"
	"b2bua/store"
)

// tape is a recording of the call. It listens on the caller's leg, where both
// directions share one time line and which outlives transfers.
type tape struct {
	rec  *recorder.Recording
	want flows.Recording
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

// recordByFlow starts the recording that the flow asks for, once. On the loop.
func (c *Call) recordByFlow(when string) {
	if c.flow == nil || c.flow.Recording == nil || !c.flow.Recording.Enabled || c.flow.Recording.Begins() != when || c.recorded {
		return
	}
	c.recorded = true
	c.recordAs(*c.flow.Recording)
}

// recordForQueue starts the recording that a queue asks for: as the flow would
// have it, if the flow says how.
func (c *Call) recordForQueue() {
	if c.recorded || len(c.tapes) > 0 || c.opening > 0 {
		return
	}
	c.recorded = true
	want := flows.Recording{Enabled: true}
	if c.flow != nil && c.flow.Recording != nil {
		want = *c.flow.Recording
	}
	want.ApplyDefaults()
	c.recordAs(want)
}

// recordAs starts a recording. On the loop.
func (c *Call) recordAs(want flows.Recording) {
	if c.opening++; want.Announce != "" {
		c.notice() // what the flow says waits for it
	}
	c.behind(func() { c.tryTape(want, true) })
}

// roomEvery is how often a recording that could not be written is tried again.
const roomEvery = 5 * time.Second

// tryTape records, now or, when that cannot be written, as soon as it can. Whoever
// is told is told of the first failure. Not on the loop; opening counts it.
func (c *Call) tryTape(want flows.Recording, told bool) {
	_, _, err := c.openTape(want)
	if err == nil || errors.Is(err, ErrEnded) {
		return
	}
	if told {
		c.log.Error("start the recording", "err", err)
	}
	_ = c.loop.Call(context.Background(), func() {
		if now := c.now(); told {
			c.tell(&events.Recording{
				Event: events.RecordingFailed, RecordingID: events.NewID("rec_"), Status: "failed", Reason: reasonOf(err), Error: err.Error(), At: now,
			}, now)
		}
		c.later(want)
	})
}

// later tries a recording again after a while. On the loop.
func (c *Call) later(want flows.Recording) {
	c.announced() // nobody waits for an announcement that is not made
	if c.ending != nil {
		return
	}
	want.Announce, want.Beep = "", false // that has been said
	w := &want
	c.postponed = append(c.postponed, w)
	c.loop.After(roomEvery, func() {
		if c.ending == nil && c.cancelled(w) {
			c.opening++
			c.behind(func() { c.tryTape(want, false) })
		}
	})
}

// cancelled takes a postponed recording off the list and tells whether it was on
// it. On the loop.
func (c *Call) cancelled(w *flows.Recording) bool {
	was := len(c.postponed)
	c.postponed = without(c.postponed, w)
	return len(c.postponed) < was
}

// reasonOf is why a recording could not be begun, as a word.
func reasonOf(err error) string {
	if recorder.Full(err) {
		return recorder.DiskFull
	}
	return recorder.DiskFail
}

// openTape begins to record, once it is counted in opening. Not on the loop: it
// opens a file, and disks can be slow.
func (c *Call) openTape(want flows.Recording) (t *tape, kept chan struct{}, err error) {
	rec, err := recorder.Start(recorder.Options{
		Dir: c.sys.RecordingsDir, ID: events.NewID("rec_"), Format: want.Format, Participant: want.Participant, Channels: want.Channels,
		SampleRate: want.SampleRate, Bitrate: want.Bitrate, PauseMode: want.PauseMode, Peaks: true, Pool: c.sys.Recorders,
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
		path := rec.Stop().Path
		err = errors.Join(err, os.Remove(path))
		_ = os.Remove(recorder.PeaksPath(path)) // there is none of a recording of nothing
	}
	return t, kept, err
}

// taped: a recording is open, or will not be for now. On the loop.
func (c *Call) taped() {
	c.opening--
	close(c.opened)
	c.opened = make(chan struct{})
}

// roll lets the recording hear the call. On the loop.
func (c *Call) roll(rec *recorder.Recording, want flows.Recording) (t *tape, kept chan struct{}) {
	t = &tape{rec: rec, want: want, rows: make(chan state, 8), done: make(chan struct{})}
	file := rec.File()
	now := c.now()
	t.row = store.Recording{
		ID: file.ID, CallID: c.id, Status: "recording", Format: file.Format, Participant: want.Participant,
		Channels: file.Channels, SampleRate: file.SampleRate, Bitrate: file.Bitrate, Path: file.Path, Warning: file.Warning, StartedAt: now,
	}
	if want.RetentionDays > 0 {
		expires := now.AddDate(0, 0, want.RetentionDays)
		t.row.ExpiresAt = &expires
	}
	c.tapes = append(c.tapes, t)
	c.record.Recordings = append(c.record.Recordings, file.ID)
	c.tell(&events.Recording{
		Event: events.RecordingStarted, RecordingID: file.ID, Status: "recording", Format: file.Format, Channels: file.Channels, At: now,
	}, now)
	if head, err := json.Marshal(c.head(c.sequence)); err == nil {
		t.row.Head = head
	}
	kept = t.keep()
	if c.transfer.attending() { // it was being opened when the consultation began
		c.turn(t, true)
		c.transfer.hushed = append(c.transfer.hushed, t)
	}
	c.caller.sound.AddTap(rec)
	c.announce(want)
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
	var fact *events.Recording
	var told events.Event
	_ = c.loop.Call(context.Background(), func() {
		c.caller.sound.RemoveTap(t.rec)
		c.tapes = without(c.tapes, t)
		row, fact = c.completed(t, r)
		fact.Head = c.head(c.sequence + 1)
		told = events.New(fact, fact.At)
	})
	save := func() error { return c.sys.Store.CompleteRecording(context.Background(), &row, told) }
	if err := save(); err != nil {
		c.log.Error("recording not in the index yet", "recording", row.ID, "err", err)
		c.sys.Later(func() error { // what it tells has been told by then, and is told again by the same id at worst
			return c.sys.Store.Recordings().Save(context.Background(), &row)
		})
	}
	_ = c.loop.Call(context.Background(), func() {
		c.tellAs(told.ID, fact, fact.At)
		if r.Err != nil {
			c.later(t.want)
		}
	})
}

// completed completes the recording's row, and what is told of it.
func (c *Call) completed(t *tape, r recorder.Result) (row store.Recording, f *events.Recording) {
	now := c.now()
	row = t.row
	row.Status, row.Format, row.Channels, row.SampleRate, row.Bitrate = "completed", r.Format, r.Channels, r.SampleRate, r.Bitrate
	row.Duration, row.Size, row.SHA256, row.Dropped = events.Seconds(r.Duration), r.Size, r.SHA256, r.Dropped
	row.Path, row.Warning, row.Reason, row.EndedAt, row.Head = r.Path, r.Warning, r.Reason, now, nil
	f = row.Told()
	if f.At = now; r.Err != nil {
		c.log.Error("recording", "recording", row.ID, "err", r.Err)
		row.Status, row.Error = "failed", r.Err.Error()
		f = row.Told()
		f.At = now
	}
	if r.Dropped > 0 {
		c.log.Warn("recording lost frames", "recording", row.ID, "frames", r.Dropped)
	}
	return row, f
}

// keepRow writes the recording's row in the index. Not on the loop.
func (c *Call) keepRow(row *store.Recording) {
	if err := c.sys.Store.Recordings().Save(context.Background(), row); err != nil {
		c.log.Error("keep the recording's row", "recording", row.ID, "err", err)
	}
}

// finishTapes ends the recordings and waits until they are told of. Not on the
// loop.
func (c *Call) finishTapes() {
	var all []*tape
	_ = c.loop.Call(context.Background(), func() { all = append(all, c.tapes...) })
	for _, t := range all {
		t.rec.Finish()
	}
	for _, t := range all {
		<-t.done
	}
}
