package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"b2bua/events"
	"b2bua/store"
)

// Book is what a deliverer needs of *store.Store: which endpoints there are,
// and where to note what was delivered.
type Book interface {
	ActiveWebhooks() []*store.Webhook
	Webhook(id string) (*store.Webhook, error)
	DisableWebhook(ctx context.Context, id, reason string) error
	SaveDeliveries(ctx context.Context, list []store.Delivery) error
}

// Config are a deliverer's limits; the zero value means the defaults.
type Config struct {
	// Timeout is for one request; 0 means 10 s.
	Timeout time.Duration
	// Schedule is when attempts are made, counted from the first one; nil
	// means 0, 1, 6, 21 and 51 minutes.
	Schedule []time.Duration
	// Jitter spreads the attempts: each is early or late by up to this part
	// of its distance to the one before; 0 means 0.1.
	Jitter float64
	// Parallel is how many requests one endpoint gets at once, each for
	// another call; 0 means 8.
	Parallel int
	// MaxWaiting is how many events may wait for one endpoint; more are
	// dropped, and noted as such. 0 means 20,000.
	MaxWaiting int
	// DisableAfter is after how much time without any success an endpoint is
	// disabled; 0 means 24 h.
	DisableAfter time.Duration
	// DrainTimeout is how long Run goes on delivering after its context
	// ended; 0 means 5 s.
	DrainTimeout time.Duration
	// Settled is told of each event that everybody who wants it has been told of,
	// or never will be. It is not told of those that were dropped because the
	// switch stopped. Nil: nobody asks. It must be quick.
	Settled func(events.Event)
}

func (c Config) withDefaults() Config {
	orElse(&c.Timeout, 10*time.Second)
	if len(c.Schedule) == 0 {
		c.Schedule = []time.Duration{0, time.Minute, 6 * time.Minute, 21 * time.Minute, 51 * time.Minute}
	}
	orElse(&c.Jitter, 0.1)
	orElse(&c.Parallel, 8)
	orElse(&c.MaxWaiting, 20_000)
	orElse(&c.DisableAfter, 24*time.Hour)
	orElse(&c.DrainTimeout, 5*time.Second)
	return c
}

func orElse[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Deliverer delivers events to the webhooks that want them. The events of one
// call come to an endpoint in the order in which they were told.
type Deliverer struct {
	book   Book
	client *http.Client
	cfg    Config
	log    *slog.Logger
	sub    *events.Subscription
	notes  *notes
	random func() float64 // in [0,1)

	mu    sync.Mutex
	lanes map[string]*lane // by webhook id
	count Stats
	busy  sync.WaitGroup // lanes at work
}

// Stats counts what became of deliveries since the start.
type Stats struct {
	Waiting                             int // events, counted once for each endpoint they wait for
	Delivered, Retried, Failed, Dropped uint64
}

// NewDeliverer makes a deliverer that hears the bus from now on and delivers
// once Run runs.
func NewDeliverer(bus *events.Bus, book Book, client *http.Client, cfg Config, log *slog.Logger) *Deliverer {
	return &Deliverer{
		book: book, client: client, cfg: cfg.withDefaults(), log: log,
		sub: bus.Subscribe(0), notes: newNotes(book, log), random: rand.Float64,
		lanes: make(map[string]*lane),
	}
}

// Run delivers until ctx ends. Then it hears no more, tries everything that
// waits once more, gives up after DrainTimeout, and returns.
func (d *Deliverer) Run(ctx context.Context) error {
	work, giveUp := context.WithCancel(context.Background())
	defer giveUp()
	noted := make(chan struct{})
	go func() {
		defer close(noted)
		d.notes.run()
	}()
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for e := range d.sub.C() {
			d.dispatch(work, e)
		}
	}()
	<-ctx.Done()
	d.sub.Finish()
	deadline := time.AfterFunc(d.cfg.DrainTimeout, giveUp)
	defer deadline.Stop()
	<-heard
	d.drain()
	d.busy.Wait()
	d.client.CloseIdleConnections()
	d.notes.stop()
	<-noted
	d.sub.Close()
	return nil
}

// Stats tells how deliveries went so far.
func (d *Deliverer) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count
}

// dispatch puts an event into the lanes of the endpoints that want it.
func (d *Deliverer) dispatch(ctx context.Context, e events.Event) {
	var body []byte
	p := d.parcel(e)
	defer p.settle()
	for _, w := range d.book.ActiveWebhooks() {
		if !w.Wants(e.Name) {
			continue
		}
		if body == nil {
			var err error
			if body, err = json.Marshal(e); err != nil {
				d.log.Error("encode an event", "event", e.Name, "err", err)
				return
			}
		}
		j := newJob(w.ID, e, body)
		j.parcel = p
		p.hold()
		d.enqueue(ctx, j)
	}
}

func (d *Deliverer) enqueue(ctx context.Context, j *job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lanes[j.note.WebhookID]
	if l == nil {
		l = newLane(d, j.note.WebhookID)
		d.lanes[j.note.WebhookID] = l
	}
	if l.waiting >= d.cfg.MaxWaiting {
		if !l.full {
			l.full = true
			d.log.Warn("too many events wait for a webhook; new ones are dropped", "webhook", l.id, "waiting", l.waiting)
		}
		d.count.Dropped++
		d.note(j, store.DeliveryDropped, "too many events were waiting")
		j.parcel.settle()
		return
	}
	l.full = false
	l.add(j)
	d.count.Waiting++
	if !l.working {
		l.working = true
		d.busy.Go(func() { l.run(ctx) })
	}
	l.rouse()
}

// drain has every lane try what waits for a later attempt now, for the last
// time.
func (d *Deliverer) drain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.lanes {
		l.hurry()
		l.rouse()
	}
}

// note brings the delivery log up to date.
func (d *Deliverer) note(j *job, result, reason string) {
	j.note.Result, j.note.Reason, j.note.UpdatedAt = result, reason, time.Now()
	d.notes.add(j.note)
}

// Test sends a test event to a webhook, active or not, once, and tells what
// came of it.
func (d *Deliverer) Test(ctx context.Context, id string) (store.Delivery, error) {
	w, err := d.book.Webhook(id)
	if err != nil {
		return store.Delivery{}, fmt.Errorf("test webhook: %w", err)
	}
	e := events.New(&events.Test{WebhookID: id, Message: "This is a test."}, time.Now())
	body, err := json.Marshal(e)
	if err != nil {
		return store.Delivery{}, fmt.Errorf("test webhook %s: %w", id, err)
	}
	j := newJob(id, e, body)
	v := d.attempt(ctx, w, j)
	result := store.DeliveryDelivered
	if v.err != nil {
		result = store.DeliveryFailed
	}
	j.note.Result, j.note.Reason, j.note.UpdatedAt = result, v.reason(), time.Now()
	if err := d.book.SaveDeliveries(ctx, []store.Delivery{j.note}); err != nil {
		return j.note, fmt.Errorf("test webhook %s: %w", id, err)
	}
	return j.note, nil
}
