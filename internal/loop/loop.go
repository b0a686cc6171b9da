package loop

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// ErrStopped is returned for work handed to a loop that takes no more.
var ErrStopped = errors.New("loop stopped")

// Loop runs posted functions in order on the goroutine that called Run.
type Loop struct {
	// OnPanic, when set before Run, is handed a panic of a posted function and
	// its stack; the loop goes on with the next function. Unset, the panic goes
	// its usual way.
	OnPanic func(v any, stack []byte)

	mu      sync.Mutex
	queue   []func()
	stopped bool
	wake    chan struct{} // one token: there is something to look at
	done    chan struct{} // closed when Run has returned
}

// New makes a loop and starts nothing. What is posted before Run waits for it.
func New() *Loop {
	return &Loop{wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// Run runs what is posted until Stop is called or ctx ends. What was posted
// before that moment still runs. It must be called once.
func (l *Loop) Run(ctx context.Context) {
	defer close(l.done)
	unhook := context.AfterFunc(ctx, l.Stop)
	defer unhook()
	var batch []func()
	for {
		var more bool
		batch, more = l.take(batch[:0])
		for i, f := range batch {
			batch[i] = nil // what ran must not be kept alive by the batch
			l.run(f)
		}
		if len(batch) > 0 {
			continue
		}
		if !more {
			return
		}
		<-l.wake
	}
}

// take swaps the empty spare for the queue; more is false once the loop is
// stopped and nothing is left to run.
func (l *Loop) take(spare []func()) (batch []func(), more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch, l.queue = l.queue, spare
	return batch, !l.stopped
}

func (l *Loop) run(f func()) {
	if l.OnPanic != nil {
		defer func() {
			if v := recover(); v != nil {
				l.OnPanic(v, debug.Stack())
			}
		}()
	}
	f()
}

// Post queues f and never blocks. It reports false, and f will not run, once the
// loop is stopped.
func (l *Loop) Post(f func()) bool {
	l.mu.Lock()
	if l.stopped {
		l.mu.Unlock()
		return false
	}
	l.queue = append(l.queue, f)
	l.mu.Unlock()
	l.nudge()
	return true
}

// Call posts f and waits until it has run. When ctx ends before f began, f will
// not run and the context's error is returned. It must not be called on the loop
// itself, which would wait for itself.
func (l *Loop) Call(ctx context.Context, f func()) error {
	var claimed atomic.Bool // by the loop, to run f, or by us, to give up
	ran := make(chan struct{})
	posted := l.Post(func() {
		if claimed.CompareAndSwap(false, true) {
			defer close(ran)
			f()
		}
	})
	if !posted {
		return ErrStopped
	}
	select {
	case <-ran:
		return nil
	case <-ctx.Done():
		if claimed.CompareAndSwap(false, true) {
			return context.Cause(ctx)
		}
		<-ran // f is at work: its effects are the caller's to see
		return nil
	}
}

// Stop lets the loop end after what was posted so far. It may be called from
// anywhere, any number of times, and does not wait: Done tells when Run is over.
func (l *Loop) Stop() {
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	l.nudge()
}

// Done is closed when Run has returned.
func (l *Loop) Done() <-chan struct{} { return l.done }

func (l *Loop) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}
