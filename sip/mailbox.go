package sip

import (
	"runtime/debug"
	"sync"
)

// mailbox runs what is posted one after the other, on the goroutine of whoever
// posts while nobody else is at it. That makes a leg an actor without a
// goroutine: its state needs no other lock, and nothing waits for its owner.
type mailbox struct {
	onPanic func(v any, stack []byte)

	mu    sync.Mutex
	queue []func()
	busy  bool
}

// post never blocks for long and always reports true, so that it can be given to
// timers. A function posted from within one runs after it.
func (b *mailbox) post(f func()) bool {
	b.mu.Lock()
	b.queue = append(b.queue, f)
	if b.busy {
		b.mu.Unlock()
		return true
	}
	b.busy = true
	for len(b.queue) > 0 {
		next := b.queue[0]
		b.queue[0] = nil
		b.queue = b.queue[1:]
		b.mu.Unlock()
		b.run(next)
		b.mu.Lock()
	}
	b.queue = nil
	b.busy = false
	b.mu.Unlock()
	return true
}

func (b *mailbox) run(f func()) {
	defer func() {
		if v := recover(); v != nil {
			b.onPanic(v, debug.Stack())
		}
	}()
	f()
}
