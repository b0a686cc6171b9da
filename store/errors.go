package store

import (
	"errors"
	"fmt"

	"b2bua/flows"
)

// What can be wrong with a request to the store.
var (
	// ErrNotFound says that nothing has this id.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that the change collides with something else: an id,
	// number or username that is taken, or an Idempotency-Key used for
	// another request.
	ErrConflict = errors.New("conflict")
	// ErrPrecondition says that If-Match names another version.
	ErrPrecondition = errors.New("it was changed meanwhile: read it again and repeat the change")
	// ErrConfigOwned says that the resource comes from the config file.
	ErrConfigOwned = errors.New("it comes from the config file: change it there and restart")
	// ErrBusy says that a request with the same Idempotency-Key is still
	// being worked on.
	ErrBusy = errors.New("a request with this Idempotency-Key is still running")
	// ErrStorage says that the file could not be read or written. The cause
	// is wrapped, too: errors.Is(err, syscall.ENOSPC) tells a full disk.
	ErrStorage = errors.New("storage failed")
	// ErrClosed says that the store is closed.
	ErrClosed = errors.New("the store is closed")
)

// Invalid says that a resource, or the plan it would make, is not acceptable.
type Invalid struct{ Problems flows.Problems }

// Error lists all problems.
func (e *Invalid) Error() string { return "invalid: " + e.Problems.Error() }

// Unwrap gives the problems to errors.As.
func (e *Invalid) Unwrap() error { return e.Problems }

// Is makes an Invalid that has a conflict among its problems an ErrConflict.
func (e *Invalid) Is(target error) bool {
	return target == ErrConflict && e.Problems.Slug() == flows.SlugConflict
}

// DamagedError says that the file is not a database this program can use.
type DamagedError struct {
	Path string
	Err  error
}

// Error names the file and what to do.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("the database %[1]s is damaged (%[2]v). It was left as it is. Move it away (mv %[1]s %[1]s.damaged) "+
		"and put the newest copy from the folder %[3]s in its place, or start without a file to begin anew",
		e.Path, e.Err, BackupFolder)
}

// Unwrap gives the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// LockedError says that another process has the file open.
type LockedError struct{ Path string }

// Error names the file and what to do.
func (e *LockedError) Error() string {
	return fmt.Sprintf("the database %s is in use by another process: stop that one, or choose another data_dir", e.Path)
}

func invalid(path, slug, format string, args ...any) error {
	return &Invalid{flows.Problems{{Path: path, Slug: slug, Message: fmt.Sprintf(format, args...)}}}
}

func storageError(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w: %w", doing, ErrStorage, err)
}

// problemsOf is what an Invalid lists, nil for another error.
func problemsOf(err error) flows.Problems {
	var e *Invalid
	if errors.As(err, &e) {
		return e.Problems
	}
	return nil
}
