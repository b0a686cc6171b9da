package queue

import (
	"context"
	"errors"
	"time"
)

// Errors of what is asked about entries and members.
var (
	ErrNoEntry  = errors.New("no such entry")
	ErrNoMember = errors.New("no such member")
)

// Entries is the line as it is.
func (h *Hall) Entries(ctx context.Context, id string) (list []Entry, err error) {
	q, err := h.get(id)
	if err != nil {
		return nil, err
	}
	return list, q.look(ctx, func(now time.Time) { list = q.line.viewEntries(now) })
}

// Members are the members and what they do.
func (h *Hall) Members(ctx context.Context, id string) (list []Member, err error) {
	q, err := h.get(id)
	if err != nil {
		return nil, err
	}
	return list, q.look(ctx, func(time.Time) { list = q.line.viewMembers() })
}

// Figures are the statistics.
func (h *Hall) Figures(ctx context.Context, id string) (f Figures, err error) {
	q, err := h.get(id)
	if err != nil {
		return f, err
	}
	return f, q.look(ctx, func(now time.Time) { f = q.line.figures(now) })
}

// Reset begins the statistics anew.
func (h *Hall) Reset(ctx context.Context, id string) error {
	q, err := h.get(id)
	if err != nil {
		return err
	}
	return q.ask(ctx, func(now time.Time) { q.line.stats = Stats{Since: now, Handle: q.line.stats.Handle} })
}

// Prioritise gives a caller another priority.
func (h *Hall) Prioritise(ctx context.Context, id, entryID string, priority int) (v Entry, err error) {
	return h.entry(ctx, id, entryID, func(_ time.Time, l *line, e *entry) {
		e.priority = priority
		l.order()
	})
}

// Remove takes a caller out of the line: who waits goes where callers go whom
// nobody answers, who waits to be called back is forgotten.
func (h *Hall) Remove(ctx context.Context, id, entryID string) error {
	_, err := h.entry(ctx, id, entryID, func(now time.Time, l *line, e *entry) {
		if e.live() {
			l.out(now, e, Timeout)
			return
		}
		l.abandonCallback(now, e, "removed")
	})
	return err
}

func (h *Hall) entry(ctx context.Context, id, entryID string, f func(now time.Time, l *line, e *entry)) (v Entry, err error) {
	q, err := h.get(id)
	if err != nil {
		return v, err
	}
	found := ErrNoEntry
	err = q.ask(ctx, func(now time.Time) {
		e := q.line.entry(entryID)
		if e == nil {
			return
		}
		found = nil
		f(now, q.line, e)
		q.line.settle(now)
		for _, x := range q.line.viewEntries(now) {
			if x.ID == entryID {
				v = x
			}
		}
	})
	return v, errors.Join(err, found)
}

// Change changes the state of a member of a queue.
func (h *Hall) Change(ctx context.Context, id, destination string, c Change) (v Member, err error) {
	q, err := h.get(id)
	if err != nil {
		return v, err
	}
	found := ErrNoMember
	err = q.ask(ctx, func(now time.Time) {
		if m := q.line.member(destination); m != nil {
			found = nil
			q.line.change(now, m, c)
			v = q.line.viewMember(m)
		}
	})
	return v, errors.Join(err, found)
}

// ChangeAll changes the state of a person in all queues, and tells in how many.
func (h *Hall) ChangeAll(ctx context.Context, key string, c Change) (n int, err error) {
	for _, q := range h.all() {
		err = errors.Join(err, q.ask(ctx, func(now time.Time) {
			if m := q.line.byKey(key); m != nil && !m.gone {
				n++
				q.line.change(now, m, c)
			}
		}))
	}
	return n, err
}

// AllFigures are the statistics of all queues, by their ids.
func (h *Hall) AllFigures(ctx context.Context) map[string]Figures {
	all := map[string]Figures{}
	for id := range h.all() {
		if f, err := h.Figures(ctx, id); err == nil {
			all[id] = f
		}
	}
	return all
}
