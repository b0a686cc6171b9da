package capture

import (
	"container/list"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Config bounds a Recorder. The zero value is usable.
type Config struct {
	// MaxBytes is how much of calls is remembered; 32 MiB.
	MaxBytes int
	// MaxUnproven is how much is remembered of messages that have not become a
	// call: 1 MiB. Whoever floods the port cannot push calls out of the memory.
	MaxUnproven int
	// MaxMessages is how many messages of one Call-ID are remembered; 500. The
	// first ones say more than the last.
	MaxMessages int
	// Export gets every message as well; it must not block. May be nil.
	Export func(Message)
	// Now is the wall clock; time.Now.
	Now func() time.Time
}

// overhead is what a message takes beside its octets.
const overhead = 160

// Recorder remembers messages by Call-ID. It may be used from any goroutine. A
// nil Recorder remembers nothing.
type Recorder struct {
	cfg Config

	mu       sync.Mutex
	dialogs  map[string]*dialog
	kept     shelf
	unproven shelf
}

// dialog is what is remembered of one Call-ID.
type dialog struct {
	callID   string
	messages []Message
	size     int
	shelf    *shelf
	place    *list.Element
}

// shelf is dialogs in the order of their last message, bounded in size.
type shelf struct {
	order *list.List // of *dialog, the one longest silent first
	size  int
	max   int
}

// New makes a recorder.
func New(cfg Config) *Recorder {
	orElse(&cfg.MaxBytes, 32<<20)
	orElse(&cfg.MaxUnproven, 1<<20)
	orElse(&cfg.MaxMessages, 500)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Recorder{
		cfg: cfg, dialogs: map[string]*dialog{},
		kept:     shelf{order: list.New(), max: cfg.MaxBytes},
		unproven: shelf{order: list.New(), max: cfg.MaxUnproven},
	}
}

func orElse(n *int, def int) {
	if *n <= 0 {
		*n = def
	}
}

// Sent notes a message of ours; data is copied.
func (r *Recorder) Sent(network string, local, remote netip.AddrPort, data []byte) {
	r.note(Message{Out: true, Network: network, Local: local, Remote: remote, Data: data})
}

// Received notes a message of the far end; data is copied.
func (r *Recorder) Received(network string, local, remote netip.AddrPort, data []byte) {
	r.note(Message{Network: network, Local: local, Remote: remote, Data: data})
}

func (r *Recorder) note(m Message) {
	if r == nil {
		return
	}
	callID := string(field(m.Data, "call-id", "i"))
	if callID == "" {
		return // a keep-alive, or nothing that could be found again
	}
	m.At = r.cfg.Now()
	m.Data = redacted(m.Data)
	if r.cfg.Export != nil {
		r.cfg.Export(m)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.dialogs[callID]
	if d == nil {
		d = &dialog{callID: callID}
		r.dialogs[callID] = d
		r.unproven.put(d)
	}
	if len(d.messages) < r.cfg.MaxMessages {
		d.messages = append(d.messages, m)
		grown := len(m.Data) + overhead
		d.size += grown
		d.shelf.size += grown
	}
	d.shelf.order.MoveToBack(d.place)
	r.trim(d.shelf)
}

// Keep says that a Call-ID belongs to a call: what is known of it, and what
// comes, is worth more than what strangers send.
func (r *Recorder) Keep(callID string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.dialogs[callID]
	switch {
	case d == nil:
		d = &dialog{callID: callID}
		r.dialogs[callID] = d
	case d.shelf == &r.kept:
		return
	default:
		d.shelf.take(d)
	}
	r.kept.put(d)
	r.trim(&r.kept)
}

// Messages gives what is remembered of some Call-IDs, in the order of the wire.
func (r *Recorder) Messages(callIDs ...string) []Message {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	var out []Message
	for _, id := range callIDs {
		if d := r.dialogs[id]; d != nil {
			out = append(out, d.messages...)
		}
	}
	r.mu.Unlock()
	slices.SortStableFunc(out, func(a, b Message) int { return a.At.Compare(b.At) })
	return out
}

// trim forgets the dialogs that were silent longest; r.mu is held.
func (r *Recorder) trim(s *shelf) {
	for s.size > s.max {
		oldest := s.order.Front().Value.(*dialog) // only dialogs are put on shelves
		s.take(oldest)
		delete(r.dialogs, oldest.callID)
	}
}

func (s *shelf) put(d *dialog) {
	d.size += overhead + len(d.callID)
	d.shelf, d.place = s, s.order.PushBack(d)
	s.size += d.size
}

func (s *shelf) take(d *dialog) {
	s.order.Remove(d.place)
	s.size -= d.size
	d.size -= overhead + len(d.callID)
}
