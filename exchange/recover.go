package exchange

import (
	"context"
	"errors"
	"fmt"
	"os"

	"b2bua/recorder"
	"b2bua/store"
)

// recoverRecordings completes the recordings that a killed process left behind:
// their files end with the last whole frame, their rows say so. It runs before
// calls are taken, so that every row still running is one that nobody writes.
func (x *Exchange) recoverRecordings(ctx context.Context) error {
	running := store.Query[store.Recording]{Where: func(r *store.Recording) bool {
		return r.Status == recorder.Running || r.Status == recorder.Paused
	}}
	for cursor := ""; ; {
		page, next, err := x.store.Recordings().List(running, cursor, store.MaxPage)
		if err != nil {
			return fmt.Errorf("look for unfinished recordings: %w", err)
		}
		for _, row := range page {
			x.completeRecording(row)
			if err := x.store.Recordings().Save(ctx, row); err != nil {
				return fmt.Errorf("keep recording %s: %w", row.ID, err)
			}
			x.log.Warn("recording completed after an unclean stop", "recording", row.ID, "call", row.CallID,
				"status", row.Status, "err", row.Error)
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
}

func (x *Exchange) completeRecording(row *store.Recording) {
	r, err := recorder.Recover(row.Path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		row.Status, row.Error = "absent", "the file is not there"
		return
	case err != nil:
		row.Status, row.Error = recorder.Failed, err.Error()
		return
	}
	row.Status, row.Format, row.Channels, row.SampleRate = recorder.Completed, r.Format, r.Channels, r.SampleRate
	row.Duration, row.Size, row.SHA256 = r.Duration.Seconds(), r.Size, r.SHA256
	row.Warning, row.EndedAt = "completed after the switch was stopped in mid-call", x.opt.Now()
}
