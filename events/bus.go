package events

import (
	"slices"
	"sync"
)

// historySize is how many events a reader of the stream may have missed and
// still get: some 500 calls of eight events.
const historySize = 4096

// Bus carries events from those who tell to those who listen.
type Bus struct {
	mu     sync.Mutex
	subs   []*Subscription
	recent ring
	closed bool
}

// NewBus makes a bus without listeners.
func NewBus() *Bus { return &Bus{recent: ring{size: historySize}} }

// Publish tells e to every listener and never blocks. Events are heard in the
// order they were published; what one goroutine tells keeps its order. Missing
// parts of the event (id, version, name) are filled in. After Close nothing is
// told any more.
func (b *Bus) Publish(e Event) {
	e.complete()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.recent.add(e)
	for _, s := range b.subs {
		s.put(e)
	}
}

// Subscribe listens from now on. With depth 0 nothing is ever lost and what is
// not read yet is kept in memory; otherwise at most depth events wait, and more
// are dropped and counted.
func (b *Bus) Subscribe(depth int) *Subscription {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.subscribe(depth, nil)
}

// SubscribeAfter listens from the event with this id on. complete is false when
// the event is no longer remembered: then it listens from now on, and something
// may have been missed.
func (b *Bus) SubscribeAfter(id string, depth int) (s *Subscription, complete bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	missed, complete := b.recent.after(id)
	return b.subscribe(depth, missed), complete
}

func (b *Bus) subscribe(depth int, missed []Event) *Subscription {
	s := newSubscription(b, depth, missed)
	if b.closed {
		s.Finish()
		return s
	}
	b.subs = append(b.subs, s)
	return s
}

// Close lets every listener hear what was told so far, then ends its channel.
func (b *Bus) Close() {
	b.mu.Lock()
	subs := b.subs
	b.subs, b.closed = nil, true
	b.mu.Unlock()
	for _, s := range subs {
		s.Finish()
	}
}

func (b *Bus) leave(s *Subscription) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.subs = slices.DeleteFunc(b.subs, func(x *Subscription) bool { return x == s })
}
