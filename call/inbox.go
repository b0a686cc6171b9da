package call

import "sync"

// inbox keeps in order what happens to a leg that is handed from call to call:
// what was told to the loop of the one before may still wait there when the next
// thing is told to the new one.
type inbox struct {
	mu    sync.Mutex
	queue []func()
}

func (b *inbox) put(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = append(b.queue, f)
}

// next takes what came first; nil when there is nothing any more.
func (b *inbox) next() func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		return nil
	}
	f := b.queue[0]
	b.queue[0] = nil
	if b.queue = b.queue[1:]; len(b.queue) == 0 {
		b.queue = nil
	}
	return f
}

// clear forgets what nobody will take any more.
func (b *inbox) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = nil
}

// post runs f on the loop of the call that owns the leg by then, after all that
// was posted before it. It is what signalling and sound of the leg are told to
// use, as legs are handed over.
func (l *leg) post(f func()) bool {
	l.inbox.put(f)
	return l.turn()
}

// turn has the owner's loop take one thing out of the inbox. There is a turn for
// each thing, and whichever comes first takes the first thing.
func (l *leg) turn() bool {
	for {
		c := l.owner.Load()
		posted := c.loop.Post(func() {
			if l.owner.Load() != c { // handed over since
				l.turn()
				return
			}
			if f := l.inbox.next(); f != nil {
				f()
			}
		})
		if posted {
			return true
		}
		if l.owner.Load() == c {
			l.inbox.clear()
			return false
		}
	}
}
