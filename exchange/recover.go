package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"b2bua/events"
	"b2bua/recorder"
	"b2bua/store"
)

// interrupted is why a recording ended whose process was killed.
const interrupted = "interrupted"

// absent is the state of a recording whose file is not there.
const absent = "absent"

// recoverRecordings completes the recordings that a killed process left behind:
// their files end with the last whole frame, their rows say so, and it is told. It
// runs before calls are taken, so that every row still running is one that nobody
// writes.
func (x *Exchange) recoverRecordings(ctx context.Context) error {
	return x.eachRecording(func(r *store.Recording) bool {
		return r.Status == recorder.Running || r.Status == recorder.Paused
	}, func(row *store.Recording) error { return x.finish(ctx, row, x.completeRecording(row)) })
}

// finish keeps a row that is complete and tells of it.
func (x *Exchange) finish(ctx context.Context, row *store.Recording, head []byte) error {
	fact := row.Told()
	fact.At = x.opt.Now()
	if json.Unmarshal(head, &fact.Head) != nil { // nothing was kept: not even its call is known
		fact.CallID = row.CallID
	}
	fact.Sequence += lostEvents
	told := events.New(fact, fact.At)
	x.log.Warn("recording completed after an unclean stop", "recording", row.ID, "call", row.CallID, "status", row.Status, "err", row.Error)
	if err := x.store.CompleteRecording(ctx, row, told); err != nil {
		// A full disk keeps nobody from telephoning.
		x.log.Error("recording not recovered yet", "recording", row.ID, "err", err)
		x.errands.add(func() error {
			if err := x.store.CompleteRecording(context.WithoutCancel(ctx), row, told); err != nil {
				return fmt.Errorf("keep recording %s: %w", row.ID, err)
			}
			x.bus.Publish(told)
			return nil
		})
		return nil
	}
	x.bus.Publish(told)
	return nil
}

// eachRecording does something to every row of a kind.
func (x *Exchange) eachRecording(is func(*store.Recording) bool, do func(*store.Recording) error) error {
	for cursor := ""; ; {
		page, next, err := x.store.Recordings().List(store.Query[store.Recording]{Where: is}, cursor, store.MaxPage)
		if err != nil {
			return fmt.Errorf("look for recordings: %w", err)
		}
		for _, row := range page {
			if err := do(row); err != nil {
				return err
			}
		}
		if cursor = next; next == "" {
			return nil
		}
	}
}

// completeRecording completes a file and its row, and gives what was kept for
// telling it.
func (x *Exchange) completeRecording(row *store.Recording) (head []byte) {
	head, row.Head, row.EndedAt, row.Reason = row.Head, nil, x.opt.Now(), interrupted
	r, err := recorder.Recover(row.Path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		row.Status, row.Error = absent, "the file is not there"
		return head
	case err != nil:
		row.Status, row.Error = recorder.Failed, err.Error()
		return head
	}
	row.Status, row.Format, row.Channels, row.SampleRate = recorder.Completed, r.Format, r.Channels, r.SampleRate
	row.Duration, row.Size, row.SHA256 = events.Seconds(r.Duration), r.Size, r.SHA256
	row.Warning = "completed after the switch was stopped in mid-call"
	return head
}

// adoptRecordings finds files that no row tells of: their process was killed right
// after it had opened them.
func (x *Exchange) adoptRecordings(ctx context.Context) error {
	files, err := os.ReadDir(x.cfg.RecordingsDir())
	if err != nil {
		return fmt.Errorf("look for recordings without an entry: %w", err)
	}
	for _, f := range files {
		ext := filepath.Ext(f.Name())
		id := strings.TrimSuffix(f.Name(), ext)
		if ext != "."+recorder.MP3 && ext != "."+recorder.WAV || !strings.HasPrefix(id, "rec_") {
			continue
		}
		if _, err := x.store.Recordings().Get(id); !errors.Is(err, store.ErrNotFound) {
			continue
		}
		row := &store.Recording{ID: id, Format: ext[1:], Path: filepath.Join(x.cfg.RecordingsDir(), f.Name())}
		if info, err := f.Info(); err == nil {
			row.StartedAt = info.ModTime()
		}
		if err := x.finish(ctx, row, x.completeRecording(row)); err != nil {
			return err
		}
	}
	return nil
}

// missRecordings tells of complete recordings whose files somebody else has
// removed.
func (x *Exchange) missRecordings(ctx context.Context) {
	err := x.eachRecording(func(r *store.Recording) bool { return r.Status == recorder.Completed }, func(row *store.Recording) error {
		if _, err := os.Stat(row.Path); !errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if _, err := os.Stat(x.cfg.RecordingsDir()); err != nil {
			return err // the folder is not there at the moment: nothing is known of its files
		}
		row.Status, row.Error = absent, "the file is not there"
		fact := row.Told()
		fact.CallID = row.CallID
		told := events.New(fact, x.opt.Now())
		if err := x.store.CompleteRecording(ctx, row, told); err != nil {
			return err
		}
		x.bus.Publish(told)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		x.log.Warn("look for missing recordings", "err", err)
	}
}
