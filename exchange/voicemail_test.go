package exchange

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/media"
	"b2bua/media/audio"
	"b2bua/recorder"
	"b2bua/store"
)

// voiced is a message's file with so much of a tone, as a killed process leaves it.
func voiced(t *testing.T, x *Exchange, id string, length time.Duration) string {
	t.Helper()
	rec, err := recorder.Start(recorder.Options{Dir: x.cfg.VoicemailDir(), ID: id, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	tone := audio.Tone(8000, length, -10, 440)
	for tick := range int(length / (20 * time.Millisecond)) {
		rec.Frame(media.TapFrame{Clock: uint64(tick), Rate: 8000, PCM: tone.Samples[tick*160 : (tick+1)*160]})
	}
	path := rec.Stop().Path
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)-50], 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What callers had said when the process was killed becomes messages, told of once;
// what was too little, or has no file, does not.
func TestMessagesOfAKilledProcess(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	ctx := t.Context()
	if err := x.store.Boxes().Create(ctx, &flows.VoicemailBox{ID: "vm", Name: "x", Notify: &flows.Notify{Email: "a@b.example"}}); err != nil {
		t.Fatal(err)
	}
	drafted := func(id, path string) {
		t.Helper()
		d := &store.Draft{Message: store.Message{ID: id, BoxID: "vm", CallID: "call_" + id, From: "+14155552672", Path: path, Format: "mp3"}, MinLen: 2,
			Head: events.Head{CallID: "call_" + id, CallFlowID: "cf_1", Sequence: 5}}
		if err := x.store.OpenDraft(ctx, d, 100); err != nil {
			t.Fatal(err)
		}
	}
	drafted("msg_whole", voiced(t, x, "msg_whole", 4*time.Second))
	drafted("msg_short", voiced(t, x, "msg_short", 500*time.Millisecond))
	drafted("msg_lost", filepath.Join(dir, "nowhere.mp3"))
	broken := filepath.Join(x.cfg.VoicemailDir(), "msg_broken.mp3")
	if err := os.WriteFile(broken, []byte("this is no sound at all, but long enough to be one, "+string(make([]byte, 600))), 0o600); err != nil {
		t.Fatal(err)
	}
	drafted("msg_broken", broken)
	if err := x.store.Close(); err != nil {
		t.Fatal(err)
	}

	x = open(t, dir)
	list, _, err := x.store.Messages().List(store.Query[store.Message]{Owner: "vm"}, "", 100)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	if m := list[0]; m.ID != "msg_whole" || m.Duration < 3.8 || m.SHA256 == "" || m.Warning == "" {
		t.Errorf("%+v", m)
	}
	if drafts, _ := x.store.Drafts(); len(drafts) != 0 {
		t.Errorf("left: %v", drafts)
	}
	untold, err := x.store.Untold()
	if err != nil || len(untold) != 1 || untold[0].Data.Header().Sequence != 105 || untold[0].Data.Header().CallFlowID != "cf_1" {
		t.Errorf("%v, %v", untold, err)
	}
	if notices, _, _ := x.store.Notices().List(store.Query[store.Notice]{}, "", 10); len(notices) != 1 {
		t.Errorf("%v", notices)
	}
	if _, err := os.Stat(broken); err != nil {
		t.Error("a file that cannot be read was removed")
	}
	// Nobody was told yet: the next process tells it again, under the same id.
	if err := x.store.Close(); err != nil {
		t.Fatal(err)
	}
	x = open(t, dir)
	defer x.store.Close()
	if again, _ := x.store.Untold(); len(again) != 1 || again[0].ID != untold[0].ID {
		t.Errorf("%v", again)
	}
	x.settled(untold[0])
	x.errands.round()
	if left, _ := x.store.Untold(); len(left) != 0 {
		t.Errorf("%v", left)
	}
}

// What does not work is tried again until it does, and once more at the end.
func TestErrands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newErrands(slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- e.Run(ctx) }()
		begun, tries := time.Now(), 0
		worked := make(chan time.Duration, 1)
		e.add(func() error {
			if tries++; tries < 4 {
				return errors.New("disk full")
			}
			worked <- time.Since(begun)
			return nil
		})
		if took := <-worked; took != 3*errandPause {
			t.Errorf("it took %v", took)
		}
		stuck := 0
		e.add(func() error { stuck++; return errors.New("disk full") })
		synctest.Wait()
		cancel()
		<-done
		if stuck != 2 {
			t.Errorf("tried %d times", stuck)
		}
	})
}
