package webhook

import (
	"context"
	"log/slog"
	"sync"

	"b2bua/store"
)

// maxNotes bounds the entries that wait for the disk; notesAtOnce is how many
// are written together.
const (
	maxNotes    = 20_000
	notesAtOnce = 256
)

// notes writes the delivery log, many entries at once, so that deliveries never
// wait for the disk.
type notes struct {
	book Book
	log  *slog.Logger
	wake chan struct{}

	mu      sync.Mutex
	waiting []store.Delivery
	ended   bool
	lost    int
}

func newNotes(book Book, log *slog.Logger) *notes {
	return &notes{book: book, log: log, wake: make(chan struct{}, 1)}
}

func (n *notes) add(d store.Delivery) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waiting) >= maxNotes {
		n.lost++
		return
	}
	n.waiting = append(n.waiting, d)
	n.rouse()
}

func (n *notes) rouse() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// stop has run write what waits and return.
func (n *notes) stop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended = true
	n.rouse()
}

func (n *notes) run() {
	for {
		batch, lost, ended := n.take()
		if lost > 0 {
			n.log.Warn("the delivery log lost entries", "entries", lost)
		}
		if len(batch) > 0 {
			if err := n.book.SaveDeliveries(context.Background(), batch); err != nil {
				n.log.Error("write the delivery log", "entries", len(batch), "err", err)
			}
			continue
		}
		if ended {
			return
		}
		<-n.wake
	}
}

func (n *notes) take() (batch []store.Delivery, lost int, ended bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := min(len(n.waiting), notesAtOnce)
	batch = n.waiting[:k:k]
	n.waiting = n.waiting[k:]
	if len(n.waiting) == 0 {
		n.waiting = nil
	}
	lost, n.lost = n.lost, 0
	return batch, lost, n.ended
}
