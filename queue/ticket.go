package queue

import (
	"context"
	"time"
)

// Joining is a call that wants to wait.
type Joining struct {
	QueueID  string
	Caller   Caller
	CallID   string
	Number   string // "" when nobody may know it
	From     string // as it is shown
	Dialled  string // the number of ours that was called
	Priority int
	Group    bool
	MaxWait  time.Duration
	EntryID  string // of a caller who was called back; "" for others
}

// Ticket is a caller's place in a queue. Its methods tell what happens to the
// call; they do not wait unless they have a context.
type Ticket struct {
	ID       string
	Returned bool

	queue      *Queue
	entry      *entry
	calledBack bool // on the queue's loop: the entry is not the call's any more
}

// Join lets a call wait; refused says why it may not.
func (h *Hall) Join(ctx context.Context, j Joining) (t *Ticket, refused string, err error) {
	q, err := h.get(j.QueueID)
	if err != nil {
		return nil, "", err
	}
	err = q.ask(ctx, func(now time.Time) {
		if ctx.Err() != nil {
			refused = Abandoned
			return
		}
		var e *entry
		e, refused = q.line.join(now, joining{
			caller: j.Caller, callID: j.CallID, number: j.Number, from: j.From, dialled: j.Dialled, priority: j.Priority, group: j.Group, maxWait: j.MaxWait, id: j.EntryID,
		})
		if e != nil {
			t = &Ticket{ID: e.id, Returned: e.returned, queue: q, entry: e}
		}
	})
	return t, refused, err
}

// Place is where a caller stands.
type Place struct {
	Position int
	Priority int
	Estimate time.Duration // 0 when nothing is known yet
	Offers   int
	Callback bool // may ask to be called back
}

// Place tells where the caller stands.
func (t *Ticket) Place(ctx context.Context) (p Place, err error) {
	err = t.queue.look(ctx, func(time.Time) {
		l := t.queue.line
		p.Position = l.position(t.entry)
		p.Priority, p.Offers = t.entry.priority, t.entry.offers
		p.Estimate = l.estimate(p.Position)
		p.Callback = l.cfg.Callback.May(t.entry.number)
	})
	return p, err
}

// Refused tells that a member did not take the caller.
func (t *Ticket) Refused(member string) {
	t.queue.post(func(now time.Time) { t.queue.line.refused(now, t.entry, member) })
}

// Picked tells that a member has answered and does not hear the caller yet.
func (t *Ticket) Picked(member string) {
	t.queue.post(func(now time.Time) { t.queue.line.picked(now, t.entry, member) })
}

// Accepted tells that a member talks to the caller.
func (t *Ticket) Accepted(member string) {
	t.queue.post(func(now time.Time) { t.queue.line.accepted(now, t.entry, member) })
}

// Over tells that the member talks no more.
func (t *Ticket) Over(member string) {
	t.queue.post(func(now time.Time) { t.queue.line.over(now, t.entry, member) })
}

// Leave tells that the caller has left the line, unless a member has taken the caller out of
// it before.
func (t *Ticket) Leave(result string) {
	t.queue.post(func(now time.Time) {
		if t.calledBack {
			t.queue.line.hungUp(now, t.entry)
			return
		}
		t.queue.line.leave(now, t.entry, result)
	})
}

// CallBack asks to be called instead of waiting. When it says yes, the entry goes
// on without the call.
func (t *Ticket) CallBack(ctx context.Context) (granted bool, err error) {
	err = t.queue.ask(ctx, func(now time.Time) {
		granted = t.queue.line.wantsCallback(now, t.entry)
		t.calledBack = granted
	})
	return granted, err
}
