package exchange

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// errandPause is how long to wait before what did not work is tried again: a disk
// that was full has room again at some time.
const errandPause = 5 * time.Second

// errands are things to be done that may not work at once, such as writing to a
// full disk. Each is tried until it works, or until the switch stops: whatever is
// kept nowhere else is no errand.
type errands struct {
	log  *slog.Logger
	wake chan struct{}

	mu   sync.Mutex
	list []func() error
}

func newErrands(log *slog.Logger) *errands {
	return &errands{log: log, wake: make(chan struct{}, 1)}
}

// add takes an errand on. It never blocks.
func (e *errands) add(f func() error) {
	e.mu.Lock()
	e.list = append(e.list, f)
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Run does errands until ctx ends, and then tries all that are left once more.
func (e *errands) Run(ctx context.Context) error {
	var again <-chan time.Time
	for {
		select {
		case <-e.wake:
		case <-again:
		case <-ctx.Done():
			e.round()
			return nil
		}
		again = nil
		if e.round() {
			again = time.After(errandPause)
		}
	}
}

// round tries everything once and tells whether something is left.
func (e *errands) round() (left bool) {
	e.mu.Lock()
	list := e.list
	e.list = nil
	e.mu.Unlock()
	var failed []func() error
	for _, f := range list {
		if err := f(); err != nil {
			e.log.Warn("to be tried again", "err", err)
			failed = append(failed, f)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(failed, e.list...)
	return len(failed) > 0
}
