package notice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/store"
)

// Config are the limits of an office; the zero value means the defaults.
type Config struct {
	Mail Mail
	// Schedule is how long to wait after each attempt that failed; the last one
	// counts for all further ones. Nil means half a minute, growing to hours.
	Schedule []time.Duration
	// GiveUp is how old a notice gets; 0 means two days.
	GiveUp time.Duration
	// Parallel is how many are sent at the same time; 0 means 4.
	Parallel int
	// Post calls a webhook with an event. final says that it makes no sense to
	// try again.
	Post func(ctx context.Context, url string, body []byte) (final bool, err error)
	// Open opens the audio of a message.
	Open func(path string) (*os.File, error)
	Now  func() time.Time // nil: time.Now
}

// Stats counts what became of notices since the start.
type Stats struct {
	Waiting               int
	Sent, Retried, Failed uint64
}

// lane is what goes by one carrier: a server that does not answer holds up nothing
// but its own.
type lane struct {
	carrier string
	wake    chan struct{}
	waiting int // under the office's mu
}

// Office sends what waits in the store.
type Office struct {
	cfg   Config
	store *store.Store
	log   *slog.Logger
	lanes [2]lane

	mu    sync.Mutex
	sent  map[string]bool // but not forgotten yet: the file could not be written
	count Stats
}

// New makes an office; Run runs it.
func New(s *store.Store, c Config, log *slog.Logger) *Office {
	if len(c.Schedule) == 0 {
		c.Schedule = []time.Duration{30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour}
	}
	if c.GiveUp <= 0 {
		c.GiveUp = 48 * time.Hour
	}
	if c.Parallel <= 0 {
		c.Parallel = 4
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	o := &Office{cfg: c, store: s, log: log, sent: map[string]bool{}}
	for i, carrier := range []string{store.ByWebhook, store.ByEmail} {
		o.lanes[i] = lane{carrier: carrier, wake: make(chan struct{}, 1)}
	}
	return o
}

// Stats tells how it went so far.
func (o *Office) Stats() Stats {
	o.mu.Lock()
	defer o.mu.Unlock()
	is := o.count
	for i := range o.lanes {
		is.Waiting += o.lanes[i].waiting
	}
	return is
}

// Wake says that there may be something new to send. It never blocks.
func (o *Office) Wake() {
	for i := range o.lanes {
		select {
		case o.lanes[i].wake <- struct{}{}:
		default:
		}
	}
}

// idle is how often the queue is looked at when nothing is known to be due.
const idle = time.Minute

// Run sends until ctx ends; what is under way then is given up for this time.
func (o *Office) Run(ctx context.Context) error {
	var busy sync.WaitGroup
	for i := range o.lanes {
		busy.Go(func() { o.runLane(ctx, &o.lanes[i]) })
	}
	busy.Wait()
	return nil
}

func (o *Office) runLane(ctx context.Context, l *lane) {
	for ctx.Err() == nil {
		timer := time.NewTimer(o.round(ctx, l))
		select {
		case <-l.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// round sends what is due in a lane and tells how long to wait for the next. Once
// the server of all e-mail is found not to serve, the rest waits for the next round.
func (o *Office) round(ctx context.Context, l *lane) (wait time.Duration) {
	now := o.cfg.Now()
	wait = idle
	places := make(chan struct{}, o.cfg.Parallel)
	var busy sync.WaitGroup
	var down atomic.Bool
	waiting := 0
	for cursor := ""; ; {
		page, next, err := o.store.Notices().List(store.Query[store.Notice]{}, cursor, store.MaxPage)
		if err != nil {
			o.log.Error("read the notices", "err", err)
			break
		}
		for _, n := range page {
			if !l.takes(n) {
				continue
			}
			waiting++
			if left := n.DueAt.Sub(now); left > 0 {
				wait = min(wait, left)
				continue
			}
			places <- struct{}{}
			if down.Load() {
				<-places
				continue
			}
			busy.Go(func() {
				defer func() { <-places }()
				if errors.Is(o.deliver(ctx, n), errNoServer) {
					down.Store(true)
				}
			})
		}
		if cursor = next; next == "" || ctx.Err() != nil {
			break
		}
	}
	busy.Wait()
	o.mu.Lock()
	l.waiting = waiting
	o.mu.Unlock()
	// What has failed just now is due no later than this.
	return min(wait, o.cfg.Schedule[0])
}

// takes reports whether a notice goes in this lane. What is of no carrier known
// goes with e-mail, to be given up.
func (l *lane) takes(n *store.Notice) bool {
	return (n.Carrier == store.ByWebhook) == (l.carrier == store.ByWebhook)
}

// errPointless says that there is nothing to be sent any more.
var errPointless = errors.New("nobody is to be told any more")

// deliver makes one attempt and notes what came of it; err says why it failed.
func (o *Office) deliver(ctx context.Context, n *store.Notice) (err error) {
	final := false
	if !o.wasSent(n.ID) {
		final, err = o.safely(ctx, n)
	}
	log := o.log.With("notice", n.ID, "box", n.BoxID, "message", n.MessageID, "carrier", n.Carrier)
	switch {
	case ctx.Err() != nil && err != nil:
		return err // it is tried again by the next process
	case err == nil:
		o.mark(n.ID, true)
		if o.forget(ctx, n, log) {
			o.mark(n.ID, false)
			o.tally(func(s *Stats) { s.Sent++ })
			log.Info("notice sent")
		}
	case errors.Is(err, errPointless):
		o.forget(ctx, n, log)
	case final || o.cfg.Now().Sub(n.CreatedAt) >= o.cfg.GiveUp:
		o.tally(func(s *Stats) { s.Failed++ })
		log.Error("notice given up", "attempts", n.Attempts+1, "err", err)
		o.forget(ctx, n, log)
	default:
		o.tally(func(s *Stats) { s.Retried++ })
		log.Warn("notice not sent", "attempts", n.Attempts+1, "err", err)
		o.postpone(ctx, n, err, log)
	}
	return err
}

func (o *Office) postpone(ctx context.Context, n *store.Notice, because error, log *slog.Logger) {
	_, err := o.store.Notices().Update(ctx, n.ID, "", func(x *store.Notice) error {
		x.DueAt = o.cfg.Now().Add(o.cfg.Schedule[min(x.Attempts, len(o.cfg.Schedule)-1)])
		x.Attempts, x.Error = x.Attempts+1, because.Error()
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		log.Error("note that a notice was not sent", "err", err)
	}
}

func (o *Office) forget(ctx context.Context, n *store.Notice, log *slog.Logger) bool {
	_, err := o.store.Notices().Delete(context.WithoutCancel(ctx), n.ID, "")
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		log.Error("forget a notice", "err", err)
		return false
	}
	return true
}

// safely makes one attempt. A notice that makes the code panic fails like any other
// that cannot be sent: it would come again after every restart.
func (o *Office) safely(ctx context.Context, n *store.Notice) (final bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			o.log.Error("a notice made the switch panic", "notice", n.ID, "panic", p, "stack", string(debug.Stack()))
			final, err = false, errors.New("internal error")
		}
	}()
	return o.attempt(ctx, n)
}

// attempt sends a notice once.
func (o *Office) attempt(ctx context.Context, n *store.Notice) (final bool, err error) {
	m, err := o.store.Messages().Get(n.MessageID)
	if errors.Is(err, store.ErrNotFound) {
		return true, errPointless // listened to and deleted
	}
	if err != nil {
		return false, err
	}
	box := o.store.Plan().Box(n.BoxID)
	if !wanted(box, n) {
		return true, errPointless
	}
	switch n.Carrier {
	case store.ByWebhook:
		if o.cfg.Post == nil {
			return true, errors.New("webhooks are not served")
		}
		return o.cfg.Post(ctx, n.To, n.Body)
	case store.ByEmail:
		return o.mail(ctx, n, box, m)
	}
	return true, fmt.Errorf("%q carries nothing", n.Carrier)
}

// wanted reports whether a box still names whom a notice goes to: it may have been
// changed while the notice waited.
func wanted(box *flows.VoicemailBox, n *store.Notice) bool {
	if box == nil || box.Notify == nil {
		return false
	}
	if n.Carrier == store.ByWebhook {
		return box.Notify.Webhook == n.To
	}
	return slices.Contains(box.Notify.Addresses(), n.To)
}

func (o *Office) wasSent(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sent[id]
}

func (o *Office) mark(id string, sent bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if delete(o.sent, id); sent {
		o.sent[id] = true
	}
}

func (o *Office) tally(f func(*Stats)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f(&o.count)
}

// For is what is to be sent because a box has got a message; body is the event.
func For(box *flows.VoicemailBox, m *store.Message, body []byte) (list []*store.Notice) {
	if box == nil || box.Notify == nil {
		return nil
	}
	for _, to := range box.Notify.Addresses() {
		list = append(list, &store.Notice{ID: events.NewID("note_"), BoxID: box.ID, MessageID: m.ID, Carrier: store.ByEmail, To: to})
	}
	if url := box.Notify.Webhook; url != "" {
		list = append(list, &store.Notice{ID: events.NewID("note_"), BoxID: box.ID, MessageID: m.ID, Carrier: store.ByWebhook, To: url, Body: body})
	}
	return list
}
