package port

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A Poll that Go's own epoll does not watch is not made: its Wait would never wait.
func TestPollThatCannotPark(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "plain")) // epoll refuses plain files
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := parks(f); !errors.Is(err, os.ErrNoDeadline) {
		t.Errorf("a plain file: %v", err)
	}
	p, err := NewPoll()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := parks(p.file); err != nil {
		t.Errorf("a poll: %v", err)
	}
}
