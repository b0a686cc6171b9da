package webhook

import (
	"context"
	"fmt"
	"time"

	"b2bua/store"
)

// lane is the way to one endpoint: a queue for each call, so that a call's
// events stay in order and no call waits for another one's retries. Its fields
// belong to the deliverer's mutex; its goroutine runs while it has work.
type lane struct {
	d  *Deliverer
	id string // of the webhook

	queues  map[string]*queue // by call
	ready   []*queue          // those whose first event may go now, in order
	later   []*queue          // those that wait for another attempt
	waiting int               // events
	sending int               // requests under way
	working bool              // the goroutine is there
	last    bool              // shutting down: no attempts after the next
	full    bool
	failing time.Time // since when nothing succeeded; zero: the last attempt did
	failed  int       // attempts since then
	wake    chan struct{}
}

// queue is the events of one call for one endpoint.
type queue struct {
	call string
	jobs []*job
	due  time.Time
}

func newLane(d *Deliverer, id string) *lane {
	return &lane{d: d, id: id, queues: make(map[string]*queue), wake: make(chan struct{}, 1)}
}

func (l *lane) rouse() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lane) add(j *job) {
	l.waiting++
	key := j.note.CallID
	if key == "" {
		key = j.note.EventID // belongs to no call: in no order with others
	}
	q := l.queues[key]
	if q == nil {
		q = &queue{call: key}
		l.queues[key] = q
		l.ready = append(l.ready, q)
	}
	q.jobs = append(q.jobs, j)
}

// hurry makes everything due that waits for a later attempt.
func (l *lane) hurry() {
	l.last = true
	l.ready = append(l.ready, l.later...)
	l.later = nil
}

// run sends what is ready and waits for what is not, until nothing is left.
func (l *lane) run(ctx context.Context) {
	stopped := ctx.Done()
	for {
		wait, more := l.turn(ctx)
		if !more {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-l.wake:
		case <-timer.C:
		case <-stopped:
			stopped = nil // what is under way ends with ctx, too, and rouses the lane
			l.d.mu.Lock()
			l.giveUp(stoppedReason)
			l.d.mu.Unlock()
		}
		timer.Stop()
	}
}

const stoppedReason = "the switch stopped"

// idle is how long a lane waits when only a request that is under way, or a new
// event, can give it work; either rouses it.
const idle = time.Hour

// turn starts the requests that can go now. It tells how long to wait, and
// false when the lane has nothing to do.
func (l *lane) turn(ctx context.Context) (wait time.Duration, more bool) {
	l.d.mu.Lock()
	defer l.d.mu.Unlock()
	now := time.Now()
	wait = l.moveDue(now)
	for len(l.ready) > 0 && l.sending < l.d.cfg.Parallel {
		w, err := l.d.book.Webhook(l.id)
		if err != nil || !w.Active {
			l.giveUp("the webhook is gone or not active")
			break
		}
		q := l.ready[0]
		l.ready = l.ready[1:]
		l.sending++
		j := q.jobs[0]
		l.d.busy.Go(func() { l.send(ctx, w, q, j) })
	}
	if l.waiting == 0 && l.sending == 0 {
		l.working = false
		l.forget()
		return 0, false
	}
	return wait, true
}

// moveDue makes ready what is due, and tells when the next will be.
func (l *lane) moveDue(now time.Time) time.Duration {
	wait := idle
	later := l.later[:0]
	for _, q := range l.later {
		if left := q.due.Sub(now); left > 0 {
			later = append(later, q)
			wait = min(wait, left)
		} else {
			l.ready = append(l.ready, q)
		}
	}
	clear(l.later[len(later):])
	l.later = later
	return wait
}

// forget drops a lane whose webhook was deleted. The others are kept, to know
// since when they fail.
func (l *lane) forget() {
	if _, err := l.d.book.Webhook(l.id); err != nil {
		delete(l.d.lanes, l.id)
	}
}

// send makes one attempt for j, the first event of q. While it runs q stands
// neither among those ready nor among those that wait.
func (l *lane) send(ctx context.Context, w *store.Webhook, q *queue, j *job) {
	v := l.d.attempt(ctx, w, j)
	disable := l.settle(q, j, v)
	if disable != "" {
		if err := l.d.book.DisableWebhook(context.Background(), l.id, disable); err != nil {
			l.d.log.Error("disable a webhook", "webhook", l.id, "err", err)
		}
		l.d.log.Warn("webhook disabled", "webhook", l.id, "cause", disable)
	}
	l.d.mu.Lock()
	if disable != "" {
		l.giveUp("the webhook was disabled")
	}
	l.sending--
	l.d.mu.Unlock()
	l.rouse()
}

// settle files what came of an attempt, and gives the reason when the endpoint
// is to be disabled.
func (l *lane) settle(q *queue, j *job, v verdict) (disable string) {
	l.d.mu.Lock()
	defer l.d.mu.Unlock()
	now := time.Now()
	if v.err == nil {
		l.failing, l.failed = time.Time{}, 0
		l.d.count.Delivered++
		l.done(q, j, store.DeliveryDelivered, "")
		return ""
	}
	if l.failing.IsZero() {
		l.failing = now
	}
	l.failed++
	n := len(j.note.Attempts)
	switch {
	case v.final || n >= len(l.d.cfg.Schedule):
		l.d.count.Failed++
		l.done(q, j, store.DeliveryFailed, v.reason())
	case l.last:
		l.d.count.Dropped++
		l.done(q, j, store.DeliveryDropped, stoppedReason+"; "+v.reason())
	default:
		l.d.count.Retried++
		q.due = l.next(j, n, now, v.after)
		due := q.due.UTC().Truncate(time.Millisecond)
		j.note.NextAttemptAt = &due
		l.later = append(l.later, q)
		l.d.note(j, store.DeliveryRetrying, v.reason())
	}
	switch {
	case v.gone:
		disable = "the receiver answered 410 Gone"
	case now.Sub(l.failing) >= l.d.cfg.DisableAfter && l.failed >= len(l.d.cfg.Schedule):
		disable = fmt.Sprintf("nothing could be delivered for %s; the last time: %s", l.d.cfg.DisableAfter, v.reason())
	default:
		return ""
	}
	l.failing, l.failed = time.Time{}, 0 // who enables it again begins anew
	return disable
}

// next is when attempt number n (from 0) is made: as scheduled from the first
// attempt on, give or take some jitter, and not before Retry-After.
func (l *lane) next(j *job, n int, now time.Time, after time.Duration) time.Time {
	s := l.d.cfg.Schedule
	jitter := (2*l.d.random() - 1) * l.d.cfg.Jitter * float64(s[n]-s[n-1])
	due := j.first.Add(s[n] + time.Duration(jitter))
	if earliest := now.Add(after); due.Before(earliest) {
		return earliest
	}
	return due
}

// done takes an event off its queue; the next one of the call may go.
func (l *lane) done(q *queue, j *job, result, reason string) {
	j.note.NextAttemptAt = nil
	l.d.note(j, result, reason)
	if !l.last || result != store.DeliveryDropped {
		j.parcel.settle()
	}
	q.jobs = q.jobs[1:]
	l.waiting--
	l.d.count.Waiting--
	if len(q.jobs) == 0 {
		delete(l.queues, q.call)
		return
	}
	l.ready = append(l.ready, q)
}

// giveUp drops all events that are not being sent.
func (l *lane) giveUp(why string) {
	for _, list := range [][]*queue{l.ready, l.later} {
		for _, q := range list {
			for len(q.jobs) > 0 {
				l.d.count.Dropped++
				l.waiting--
				l.d.count.Waiting--
				q.jobs[0].note.NextAttemptAt = nil
				l.d.note(q.jobs[0], store.DeliveryDropped, why)
				if why != stoppedReason {
					q.jobs[0].parcel.settle()
				}
				q.jobs = q.jobs[1:]
			}
			delete(l.queues, q.call)
		}
	}
	l.ready, l.later = nil, nil
}
