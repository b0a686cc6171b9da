package store_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"b2bua/flows"
	"b2bua/store"
)

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, store.Options{})
	_, err := store.Open(dir, store.Options{LockTimeout: 50 * time.Millisecond})
	var locked *store.LockedError
	if !errors.As(err, &locked) || !strings.Contains(err.Error(), filepath.Join(dir, store.FileName)) || !strings.Contains(err.Error(), "data_dir") {
		t.Errorf("a second opening says %v", err)
	}
}

// TestDamagedFile spoils a good file in several ways: always the same kind of
// error, naming the file and what to do, and the file stays as it was.
func TestDamagedFile(t *testing.T) {
	good := t.TempDir()
	s := open(t, good, store.Options{})
	for i := range 40 {
		ok(t, s.Flows().Create(ctx, flow("x", number(i))))
	}
	ok(t, s.Close())
	whole, err := os.ReadFile(filepath.Join(good, store.FileName))
	ok(t, err)
	page := os.Getpagesize()
	for what, spoil := range map[string]func([]byte) []byte{
		"not a database":   func([]byte) []byte { return []byte(strings.Repeat("hello ", 5000)) },
		"a few bytes":      func(b []byte) []byte { return b[:100] },
		"one page":         func(b []byte) []byte { return b[:page] },
		"only the metas":   func(b []byte) []byte { return b[:2*page] },
		"half of it":       func(b []byte) []byte { return b[:len(b)/2/page*page] },
		"zeroes inside":    func(b []byte) []byte { clear(b[2*page:]); return b },
		"both metas wrong": func(b []byte) []byte { b[20]++; b[page+20]++; return b },
		"a value spoilt": func(b []byte) []byte {
			return []byte(strings.ReplaceAll(string(b), `{"value":{"call`, `{"valXe":["call`))
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, store.FileName)
			spoilt := spoil(append([]byte(nil), whole...))
			ok(t, os.WriteFile(path, spoilt, 0o600))
			s, err := store.Open(dir, store.Options{LockTimeout: time.Second})
			if err == nil {
				s.Close()
			}
			var damaged *store.DamagedError
			if !errors.As(err, &damaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "mv ") {
				t.Fatalf("the error is %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, spoilt) {
				t.Errorf("the damaged file was changed, %v", err)
			}
		})
	}
}

func TestLayoutOfAnotherVersion(t *testing.T) {
	dir := t.TempDir()
	ok(t, open(t, dir, store.Options{}).Close())
	db, err := bbolt.Open(filepath.Join(dir, store.FileName), 0o600, nil)
	ok(t, err)
	ok(t, db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("schema_version"), []byte("7")) }))
	ok(t, db.Close())
	_, err = store.Open(dir, store.Options{})
	if err == nil || !strings.Contains(err.Error(), `layout "7"`) || !strings.Contains(err.Error(), store.FileName) {
		t.Errorf("the error is %v", err)
	}
}

func TestNoPlaceForTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	ok(t, os.WriteFile(file, nil, 0o600))
	_, err := store.Open(filepath.Join(file, "data"), store.Options{})
	wants(t, err, store.ErrStorage)
}

// childVariable names the data directory to a child that writes until it is
// killed.
const childVariable = "STORE_TEST_CHILD"

// writeUntilKilled creates flows and prints the id of each once it is
// acknowledged.
func writeUntilKilled(dir string) {
	s, err := store.Open(dir, store.Options{})
	for err == nil {
		f := flow("x", "")
		if err = s.Flows().Create(ctx, f); err == nil {
			fmt.Println(f.ID)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// TestKilled kills a process while it writes: what it acknowledged is there.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	total := 0
	for round := range 5 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childVariable+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		ok(t, err)
		ok(t, child.Start())
		var told []string
		for in := bufio.NewScanner(out); in.Scan(); {
			if told = append(told, in.Text()); len(told) == 20+7*round {
				ok(t, child.Process.Kill())
			}
		}
		_ = child.Wait() // killed
		s := open(t, dir, store.Options{})
		for _, id := range told {
			if _, err := s.Flows().Get(id); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if total += len(told); s.Flows().Len() < total {
			t.Errorf("round %d: %d flows, %d acknowledged", round, s.Flows().Len(), total)
		}
		total = s.Flows().Len()
		ok(t, s.Close())
	}
}

func TestBackup(t *testing.T) {
	c := &clock{moment}
	dir := t.TempDir()
	s := open(t, dir, store.Options{Now: c.Now})
	f := flow("kept", "")
	ok(t, s.Flows().Create(ctx, f))
	var last string
	for range 9 {
		c.pass(24 * time.Hour)
		path, err := s.Backup()
		ok(t, err)
		last = path
	}
	all, err := filepath.Glob(filepath.Join(dir, store.BackupFolder, "*"))
	ok(t, err)
	if len(all) != 7 || all[6] != last {
		t.Errorf("backups: %v", all)
	}
	copied, err := os.ReadFile(last)
	ok(t, err)
	other := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(other, store.FileName), copied, 0o600))
	if _, err := open(t, other, store.Options{}).Flows().Get(f.ID); err != nil {
		t.Error(err)
	}
}

func TestSeed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	nouns := func() flows.Nouns {
		return flows.Nouns{
			Trunks:  []*flows.Trunk{{Name: "carrier", Hosts: []string{"192.0.2.1"}}, {Name: "Börse 1", Hosts: []string{"192.0.2.2"}}},
			Devices: []*flows.Device{{Username: "alice", Password: "a-long-password"}},
			Numbers: []*flows.PhoneNumber{{Number: "+14155552671"}},
		}
	}
	own := &flows.Trunk{Name: "by hand", Hosts: []string{"192.0.2.3"}}
	ok(t, s.Trunks().Create(ctx, own))
	done, err := s.Seed(ctx, nouns())
	ok(t, err)
	if len(done.Added) != 4 || !s.Trunks().FromConfig("trunk_carrier") || !s.Devices().FromConfig("dev_alice") || s.Trunks().FromConfig(own.ID) {
		t.Errorf("seeded %+v", done)
	}
	_, err = s.Trunks().Update(ctx, "trunk_carrier", "", func(x *flows.Trunk) error { x.Name = "mine"; return nil })
	wants(t, err, store.ErrConfigOwned)
	wants(t, s.Numbers().Delete(ctx, "+14155552671", ""), store.ErrConfigOwned)

	ok(t, s.Close())
	s = open(t, dir, store.Options{})
	plan := s.Plan()
	if done, err = s.Seed(ctx, nouns()); err != nil || len(done.Added)+len(done.Changed)+len(done.Removed) != 0 || s.Plan() != plan {
		t.Errorf("the same again: %+v %v", done, err)
	}
	n := nouns()
	n.Trunks = n.Trunks[:1]
	n.Trunks[0].Hosts = []string{"192.0.2.9"}
	n.Devices = []*flows.Device{{ID: "dev_new", Username: "alice", Password: "a-long-password"}}
	done, err = s.Seed(ctx, n)
	ok(t, err)
	carrier, err := s.Trunks().Get("trunk_carrier")
	ok(t, err)
	if len(done.Added) != 1 || len(done.Changed) != 1 || len(done.Removed) != 2 || carrier.Revision != 2 || s.Plan().DeviceByUsername("alice").ID != "dev_new" {
		t.Errorf("changed: %+v, %+v", done, carrier)
	}

	plan = s.Plan()
	for what, bad := range map[string]flows.Nouns{
		"made by hand": {Trunks: []*flows.Trunk{{ID: own.ID, Name: "x", Hosts: []string{"192.0.2.4"}}}},
		"listed twice": {Numbers: []*flows.PhoneNumber{{Number: "+14155552671"}, {Number: "+14155552671"}}},
	} {
		if _, err := s.Seed(ctx, bad); !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	var invalid *store.Invalid
	if _, err := s.Seed(ctx, flows.Nouns{Numbers: []*flows.PhoneNumber{{Number: "12"}}}); !errors.As(err, &invalid) || !strings.HasPrefix(invalid.Problems[0].Path, "phone_numbers[0]") {
		t.Errorf("a bad number: %v", err)
	}
	if s.Plan() != plan {
		t.Error("a refused seed left traces")
	}
}
