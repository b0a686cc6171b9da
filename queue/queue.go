package queue

import (
	"context"
	"log/slog"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/internal/loop"
)

// Queue is a line with the goroutine that owns it.
type Queue struct {
	hall  *Hall
	loop  *loop.Loop
	line  *line
	timer *loop.Timer
	log   *slog.Logger
	dirty bool // something is to be kept
}

func newQueue(h *Hall, q *flows.Queue, raw []byte) *Queue {
	x := &Queue{hall: h, loop: loop.New(), log: h.Log.With("queue", q.ID)}
	now := h.now()
	x.line = newLine(q, h.KeyOf, h.Roster, func(key string) {
		x.post(func(now time.Time) { x.line.granted(now, key) })
	}, now)
	x.line.dialBack = func(b Back) { h.callBack(x, b) }
	if raw != nil {
		if err := x.line.restore(now, raw); err != nil {
			x.log.Error("restore", "err", err)
		}
	}
	x.loop.Post(func() { x.after(now) })
	x.loop.OnPanic = func(v any, stack []byte) {
		x.log.Error("panic in queue", "err", v, "stack", string(stack))
	}
	return x
}

// post has f change the line, and does what comes of it.
func (q *Queue) post(f func(now time.Time)) {
	q.loop.Post(func() {
		now := q.hall.now()
		f(now)
		q.after(now)
	})
}

// ask does the same and waits.
func (q *Queue) ask(ctx context.Context, f func(now time.Time)) error {
	return q.loop.Call(ctx, func() {
		now := q.hall.now()
		f(now)
		q.after(now)
	})
}

// look reads the line.
func (q *Queue) look(ctx context.Context, f func(now time.Time)) error {
	return q.loop.Call(ctx, func() { f(q.hall.now()) })
}

// after carries out what an input has led to, and comes back when time leads to
// more.
func (q *Queue) after(now time.Time) {
	q.dirty = true
	orders, facts := q.line.orders, q.line.facts
	q.line.orders, q.line.facts = nil, nil
	for _, f := range orders {
		f()
	}
	for _, f := range facts {
		q.hall.Bus.Publish(events.New(f, now))
	}
	if q.line.closed && len(q.line.entries) == 0 && !q.line.talking() {
		q.hall.Roster.leave(q.line.owner) // what was granted meanwhile, nobody hears of
		q.loop.Stop()
		return
	}
	q.timer.Stop()
	if at := q.line.wake(now); !at.IsZero() {
		q.timer = q.loop.After(max(0, at.Sub(now)), func() {
			now := q.hall.now()
			q.line.settle(now)
			q.after(now)
		})
	}
}
