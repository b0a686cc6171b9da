package queue

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"b2bua/events"
	"b2bua/flows"
)

// ErrNoQueue says that there is no such queue.
var ErrNoQueue = errors.New("no such queue")

// Keeper keeps what queues must not forget, by their ids; nil forgets one.
type Keeper interface {
	QueueStates() (map[string][]byte, error)
	SaveQueueStates(changes map[string][]byte) error
}

// Deps are what queues need of the rest of the switch.
type Deps struct {
	Bus    *events.Bus
	Keeper Keeper
	Log    *slog.Logger
	Now    func() time.Time // with a monotonic reading; nil: time.Now
	// KeyOf names the person behind a member, the same in all queues.
	KeyOf func(flows.QueueMember) string
	// Presence is how the person is, as far as calls outside of queues know.
	Presence func(key string) Presence
	// CallBack calls somebody who has hung up, and lets the call join the queue
	// again. It returns when that has happened, or with why it has not.
	CallBack func(ctx context.Context, b Back) (failure string)
}

// Hall is all queues.
type Hall struct {
	Deps
	Roster *Roster

	mu      sync.Mutex
	queues  map[string]*Queue
	kept    map[string][]byte // as it was kept last
	gone    []string          // queues to be forgotten
	running context.Context   // nil before Run
	wg      sync.WaitGroup
}

// NewHall makes the queues of a plan and starts nothing.
func NewHall(d Deps, p *flows.Plan) *Hall {
	if d.Now == nil {
		d.Now = time.Now
	}
	h := &Hall{Deps: d, Roster: NewRoster(d.Presence), queues: map[string]*Queue{}, kept: map[string][]byte{}}
	if d.Keeper != nil {
		kept, err := d.Keeper.QueueStates()
		if err != nil {
			d.Log.Error("read the states of queues", "err", err)
		}
		h.kept = kept
	}
	h.Planned(p)
	return h
}

func (h *Hall) now() time.Time { return h.Now() }

// Planned takes a new plan: queues are made, changed and closed. It is quick.
func (h *Hall) Planned(p *flows.Plan) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range p.Queues() {
		if q := h.queues[c.ID]; q != nil {
			q.post(func(now time.Time) { q.line.configure(now, c) })
			continue
		}
		q := newQueue(h, c, h.kept[c.ID])
		h.queues[c.ID] = q
		h.start(q)
	}
	for id, q := range h.queues {
		if p.Queue(id) == nil {
			delete(h.queues, id)
			h.gone = append(h.gone, id)
			delete(h.kept, id) // one made anew begins anew
			q.post(func(now time.Time) {
				q.line.close(now)
			})
		}
	}
}

func (h *Hall) start(q *Queue) {
	if h.running == nil {
		return
	}
	h.wg.Go(func() { q.loop.Run(h.running) })
}

const saveEvery = time.Second

// Run runs all queues until ctx ends, and keeps what they must not forget.
func (h *Hall) Run(ctx context.Context) error {
	loops, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.mu.Lock()
	h.running = loops
	for _, q := range h.queues {
		h.start(q)
	}
	h.mu.Unlock()
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		h.save()
	}
	stop()
	h.wg.Wait()
	return nil
}

// save writes down what has changed, in one go.
func (h *Hall) save() {
	if h.Keeper == nil {
		return
	}
	h.mu.Lock()
	list := make(map[string]*Queue, len(h.queues))
	for id, q := range h.queues {
		list[id] = q
	}
	gone, kept := h.gone, maps.Clone(h.kept)
	h.gone = nil
	h.mu.Unlock()
	changes := map[string][]byte{}
	for _, id := range gone {
		changes[id] = nil
	}
	for id, q := range list {
		var raw []byte
		_ = q.look(context.Background(), func(now time.Time) {
			if !q.dirty {
				return
			}
			q.dirty = false
			var err error
			if raw, err = q.line.save(now); err != nil {
				q.log.Error("save", "err", err)
			}
		})
		if raw != nil && !bytes.Equal(raw, kept[id]) {
			changes[id] = raw
		}
	}
	if err := h.Keeper.SaveQueueStates(changes); err != nil {
		h.Log.Warn("keep the states of queues", "queues", len(changes), "err", err)
		for id := range changes {
			if q := list[id]; q != nil {
				q.loop.Post(func() { q.dirty = true })
			}
		}
		h.mu.Lock()
		h.gone = append(h.gone, gone...)
		h.mu.Unlock()
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, raw := range changes {
		if raw == nil {
			delete(h.kept, id)
		} else if h.queues[id] == list[id] { // and not deleted meanwhile
			h.kept[id] = raw
		}
	}
}

// get finds a queue.
func (h *Hall) get(id string) (*Queue, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	q := h.queues[id]
	if q == nil {
		return nil, ErrNoQueue
	}
	return q, nil
}

// all lists the queues.
func (h *Hall) all() map[string]*Queue {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make(map[string]*Queue, len(h.queues))
	for id, q := range h.queues {
		list[id] = q
	}
	return list
}

// callBack has somebody called. The entry waits for what comes of it.
func (h *Hall) callBack(q *Queue, b Back) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.CallBack == nil || h.running == nil {
		q.post(func(now time.Time) { q.line.notReached(now, b.EntryID, "calls back are not possible here") })
		return
	}
	ctx := h.running
	h.wg.Go(func() {
		why := h.CallBack(ctx, b)
		q.post(func(now time.Time) { q.line.notReached(now, b.EntryID, why) }) // or else it waits again by now
	})
}
