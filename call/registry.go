package call

import (
	"slices"
	"strings"
	"sync"

	"b2bua/events"
)

// Registry knows the live calls. It is the one place where calls meet, so it is
// the one place with a lock.
type Registry struct {
	mu     sync.RWMutex
	calls  map[string]*Call
	legs   map[string]*leg   // by the id of their signalling
	names  map[string]string // whose they are, by the same
	people map[string]int    // how many legs somebody has
	onFree func(string)
	empty  chan struct{} // closed when the last call of a drain is over
}

// NewRegistry makes a registry without calls.
func NewRegistry() *Registry {
	return &Registry{calls: map[string]*Call{}, legs: map[string]*leg{}, names: map[string]string{}, people: map[string]int{}}
}

func (r *Registry) add(c *Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls[c.id] = c
}

func (r *Registry) remove(c *Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.calls, c.id)
	if len(r.calls) == 0 && r.empty != nil {
		close(r.empty)
		r.empty = nil
	}
}

// enter makes a leg known, so that other calls find it.
func (r *Registry) enter(l *leg) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, person := l.sig.ID(), l.person()
	r.legs[id] = l
	if r.names[id] == "" {
		r.names[id] = person
		r.count(person, 1)
	}
}

func (r *Registry) leave(l *leg) {
	if l.sig == nil {
		return
	}
	r.mu.Lock()
	id := l.sig.ID()
	person, known := r.names[id]
	delete(r.legs, id)
	delete(r.names, id)
	free := known && r.count(person, -1)
	r.mu.Unlock()
	if free && r.onFree != nil {
		r.onFree(person)
	}
}

// byLeg finds the call that a leg belongs to, by the id of its signalling.
func (r *Registry) byLeg(id string) (*Call, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	l, ok := r.legs[id]
	if !ok {
		return nil, false
	}
	return l.owner.Load(), true
}

// Get finds a live call by its id.
func (r *Registry) Get(id string) (*Call, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c, ok := r.calls[id]
	return c, ok
}

// Len is the number of live calls.
func (r *Registry) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.calls)
}

// All lists the live calls, oldest first.
func (r *Registry) All() []*Call {
	r.mu.RLock()
	all := make([]*Call, 0, len(r.calls))
	for _, c := range r.calls {
		all = append(all, c)
	}
	r.mu.RUnlock()
	slices.SortFunc(all, func(a, b *Call) int {
		if d := a.began.Compare(b.began); d != 0 {
			return d
		}
		return strings.Compare(a.id, b.id)
	})
	return all
}

// Records lists what is known of the live calls, oldest first.
func (r *Registry) Records() []events.CallRecord {
	all := r.All()
	records := make([]events.CallRecord, 0, len(all))
	for _, c := range all {
		records = append(records, c.Record())
	}
	return records
}

// TrunkDown tells the live calls that a trunk does not answer any more: who is
// being rung by it is not waited for. It does not wait.
func (r *Registry) TrunkDown(id string) {
	for _, c := range r.All() {
		c.loop.Post(func() {
			c.hunt.trunkDown(id)
			c.waits.trunkDown(id)
		})
	}
}

// Emptied is closed once no call is live.
func (r *Registry) Emptied() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.calls) == 0 {
		done := make(chan struct{})
		close(done)
		return done
	}
	if r.empty == nil {
		r.empty = make(chan struct{})
	}
	return r.empty
}
