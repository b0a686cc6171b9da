package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/store"
)

// voicemails is a store whose clock a test sets.
func voicemails(t *testing.T) (s *store.Store, clock *time.Time, restart func() *store.Store) {
	t.Helper()
	dir, now := t.TempDir(), time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)
	var is *store.Store
	open := func() *store.Store {
		t.Helper()
		var err error
		if is, err = store.Open(dir, store.Options{Now: func() time.Time { return now }}); err != nil {
			t.Fatal(err)
		}
		return is
	}
	t.Cleanup(func() { _ = is.Close() })
	return open(), &now, func() *store.Store {
		t.Helper()
		if err := is.Close(); err != nil {
			t.Fatal(err)
		}
		return open()
	}
}

func draft(id string) *store.Draft {
	return &store.Draft{Message: store.Message{ID: id, BoxID: "vm", CallID: "call_" + id, Path: "/" + id + ".mp3"}, Head: events.Head{CallID: "call_" + id, Sequence: 4}, MinLen: 2}
}

// However many callers speak at once, a box never gets more than it holds, and the
// places of those who say nothing are free again.
func TestPlacesInABox(t *testing.T) {
	s, _, _ := voicemails(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	full := 0
	for i := range 20 {
		wg.Go(func() {
			err := s.OpenDraft(context.Background(), draft(fmt.Sprint("msg_", i)), 7)
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, store.ErrBoxFull) {
				full++
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	list, err := s.Drafts()
	if err != nil || len(list) != 7 || full != 13 {
		t.Fatalf("%d in, %d out, %v", len(list), full, err)
	}
	for _, d := range list[:3] {
		if err := s.DropDraft(t.Context(), d.ID); err != nil {
			t.Error(err)
		}
	}
	if err := s.DropDraft(t.Context(), "msg_nothing"); err != nil {
		t.Error(err)
	}
	if err := s.OpenDraft(t.Context(), draft("msg_late"), 7); err != nil {
		t.Error(err)
	}
}

// A message takes its draft's place in one step with what tells of it; all of it is
// there after a restart, until it is told.
func TestAMessageIsReceivedAsAWhole(t *testing.T) {
	s, _, restart := voicemails(t)
	d := draft("msg_1")
	if err := s.OpenDraft(t.Context(), d, 1); err != nil {
		t.Fatal(err)
	}
	told := events.New(d.Received(), time.Now())
	changed := ""
	s.Messages().OnChange(func(box string) { changed = box })
	note := &store.Notice{BoxID: "vm", MessageID: "msg_1", Carrier: store.ByEmail, To: "a@b"}
	if err := s.Receive(t.Context(), &d.Message, told, []*store.Notice{note}); err != nil || changed != "vm" {
		t.Fatalf("%v, told of %q", err, changed)
	}
	s = restart()
	drafts, _ := s.Drafts()
	left, err := s.Untold()
	if err != nil || len(drafts) != 0 || len(left) != 1 || left[0].ID != told.ID || left[0].Data.(*events.Voicemail).MessageID != "msg_1" {
		t.Errorf("%v %v %v", drafts, left, err)
	}
	if n, _ := s.Messages().Count("vm"); n != 1 {
		t.Errorf("%d messages", n)
	}
	if list, _, _ := s.Notices().List(store.Query[store.Notice]{}, "", 10); len(list) != 1 || list[0].To != "a@b" || list[0].ID == "" {
		t.Errorf("%v", list)
	}
	if err := s.Told(told.ID); err != nil {
		t.Error(err)
	}
	if left, _ = s.Untold(); len(left) != 0 {
		t.Errorf("%v", left)
	}
}

func pinned(pin string) *flows.VoicemailBox {
	b := &flows.VoicemailBox{ID: "vm", Name: "x", PIN: pin}
	b.ApplyDefaults()
	return b
}

// Wrong PINs are counted over calls and restarts; then none is right for a while,
// ever longer, but for those who are counted apart, and until there is a new one.
func TestWrongPINs(t *testing.T) {
	s, now, restart := voicemails(t)
	box := pinned("4711")
	try := func(b *flows.VoicemailBox, key, pin string, want bool) {
		t.Helper()
		ok, err := s.TryPIN(b, key, pin)
		if err != nil || ok != want {
			t.Errorf("%s with %s: %v, %v", key, pin, ok, err)
		}
	}
	try(nil, "", "4711", false)
	for range 4 {
		try(box, "vm", "0000", false)
	}
	try(box, "vm", "4711", true) // begins anew
	for range 5 {
		try(box, "vm", "0000", false)
	}
	s = restart()
	try(box, "vm", "4711", false)
	try(box, "vm@dev_anna", "4711", true)
	if until := s.PINLocked(box); until.Sub(*now) != 5*time.Minute {
		t.Errorf("locked until %v", until)
	}
	*now = now.Add(5 * time.Minute)
	try(box, "vm", "0000", false)
	if until := s.PINLocked(box); until.Sub(*now) != 10*time.Minute {
		t.Errorf("locked until %v", until)
	}
	other := pinned("1234")
	try(other, "vm", "1234", true)
	*now = now.Add(24*time.Hour + time.Second)
	try(box, "vm", "4711", true)
}

// Who tries in many calls at the same moment has no more tries.
func TestPINsTriedAtOnce(t *testing.T) {
	s, _, _ := voicemails(t)
	box := pinned("4711")
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := s.TryPIN(box, "vm", "0000"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if ok, _ := s.TryPIN(box, "vm", "4711"); ok {
		t.Error("the box is open")
	}
}
