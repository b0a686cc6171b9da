package exchange

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"b2bua/media"
	"b2bua/media/audio"
	"b2bua/recorder"
	"b2bua/store"
)

// A killed process leaves a file without an end and a row that says recording;
// the next start completes both.
func TestARecordingOfAKilledProcessIsCompleted(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	rec, err := recorder.Start(recorder.Options{
		Dir: x.cfg.RecordingsDir(), ID: "rec_whole", Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	tone := audio.Tone(8000, 3*time.Second, -10, 440)
	for tick := range 150 {
		rec.Frame(media.TapFrame{Clock: uint64(tick), Rate: 8000, PCM: tone.Samples[tick*160 : (tick+1)*160]})
	}
	whole, err := os.ReadFile(rec.Stop().Path)
	if err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(x.cfg.RecordingsDir(), "rec_torn.mp3")
	if err := os.WriteFile(torn, whole[:len(whole)-100], 0o600); err != nil {
		t.Fatal(err)
	}
	for id, path := range map[string]string{"rec_torn": torn, "rec_lost": filepath.Join(dir, "nowhere.mp3")} {
		row := &store.Recording{ID: id, CallID: "call_killed", Status: recorder.Running, Format: "mp3", Path: path}
		if err := x.store.Recordings().Save(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.store.Close(); err != nil {
		t.Fatal(err)
	}

	x = open(t, dir)
	defer x.store.Close()
	row, err := x.store.Recordings().Get("rec_torn")
	if err != nil || row.Status != recorder.Completed || row.Duration < 2.8 || row.SHA256 == "" || row.Warning == "" {
		t.Errorf("torn: %+v, %v", row, err)
	}
	if row, err = x.store.Recordings().Get("rec_lost"); err != nil || row.Status != "absent" {
		t.Errorf("lost: %+v, %v", row, err)
	}
}
