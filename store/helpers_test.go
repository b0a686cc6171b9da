package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"b2bua/flows"
	"b2bua/store"
)

var (
	ctx    = context.Background()
	moment = time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)
)

// clock is set by hand.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

func open(t testing.TB, dir string, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func fresh(t testing.TB) *store.Store { return open(t, t.TempDir(), store.Options{}) }

func flow(name, number string) *flows.CallFlow {
	f := flows.NewCallFlow()
	f.Name, f.PhoneNumber = name, number
	f.Routing = []flows.Rule{{Pattern: "*", Destination: flows.DefaultBoxID, DestinationType: flows.ToVoicemail}}
	return f
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("the error is %v instead of %v", err, target)
	}
}

func number(n int) string { return fmt.Sprintf("+1415555%04d", 2000+n) }

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		writeUntilKilled(dir)
		return
	}
	os.Exit(m.Run())
}
