package events

import (
	"sync"
	"sync/atomic"
)

// Subscription is one listener's view of a bus.
type Subscription struct {
	bus     *Bus
	out     chan Event
	dropped atomic.Uint64

	mu       sync.Mutex
	finished bool    // nothing more is taken
	waiting  []Event // unbounded only: published, not yet moved to out

	bounded bool
	wake    chan struct{} // unbounded only: waiting or finished changed
	quit    chan struct{} // Close was called
	done    chan struct{} // the channel is closed
	begin   sync.Once     // unbounded only: starts the goroutine
	once    sync.Once
}

func newSubscription(b *Bus, depth int, missed []Event) *Subscription {
	s := &Subscription{
		bus:     b,
		bounded: depth > 0,
		wake:    make(chan struct{}, 1),
		quit:    make(chan struct{}),
		done:    make(chan struct{}),
	}
	if s.bounded {
		s.out = make(chan Event, depth+len(missed))
		for _, e := range missed {
			s.out <- e
		}
		return s
	}
	s.out = make(chan Event)
	s.waiting = missed
	return s
}

// C is where the events come out. It is closed when the subscription or the
// bus is. An unbounded subscription starts its goroutine when it is first asked
// for.
func (s *Subscription) C() <-chan Event {
	if !s.bounded {
		s.begin.Do(func() { go s.move() })
	}
	return s.out
}

// Dropped counts the events lost because nobody read fast enough.
func (s *Subscription) Dropped() uint64 { return s.dropped.Load() }

// Close stops listening at once, forgets what was not read, and waits for the
// subscription's goroutine. It may be called more than once.
func (s *Subscription) Close() {
	s.bus.leave(s)
	s.once.Do(func() { close(s.quit) })
	s.Finish()
	if !s.bounded {
		s.begin.Do(s.end) // nobody ever listened
	}
	<-s.done
}

func (s *Subscription) put(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.finished:
	case s.bounded:
		select {
		case s.out <- e:
		default:
			s.dropped.Add(1)
		}
	default:
		s.waiting = append(s.waiting, e)
		s.rouse()
	}
}

// Finish takes nothing more; what is waiting can still be read, and then the
// channel is closed.
func (s *Subscription) Finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finished {
		return
	}
	s.finished = true
	if s.bounded {
		s.end()
		return
	}
	s.rouse()
}

func (s *Subscription) end() {
	close(s.out)
	close(s.done)
}

func (s *Subscription) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// move carries events from the list to the channel until the subscription has
// finished and the list is empty, or it is closed.
func (s *Subscription) move() {
	defer s.end()
	for {
		batch, finished := s.take()
		for _, e := range batch {
			select {
			case s.out <- e:
			case <-s.quit:
				return
			}
		}
		if len(batch) > 0 {
			continue
		}
		if finished {
			return
		}
		select {
		case <-s.wake:
		case <-s.quit:
			return
		}
	}
}

func (s *Subscription) take() (batch []Event, finished bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch, s.waiting = s.waiting, nil
	return batch, s.finished
}
