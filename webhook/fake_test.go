package webhook

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"b2bua/events"
	"b2bua/store"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

var quiet = slog.New(slog.DiscardHandler)

// book is a Book in memory.
type book struct {
	mu       sync.Mutex
	hooks    []*store.Webhook
	log      map[string]store.Delivery
	order    []string
	disabled map[string]string
	fails    bool
}

func newBook(ids ...string) *book {
	b := &book{log: map[string]store.Delivery{}, disabled: map[string]string{}}
	for _, id := range ids {
		b.hooks = append(b.hooks, &store.Webhook{
			ID: id, URL: "https://" + id + ".example/events?token=geheim", Events: []string{"*"}, Active: true, SigningSecret: testSecret,
		})
	}
	return b
}

func (b *book) ActiveWebhooks() []*store.Webhook {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.hooks), func(w *store.Webhook) bool { return !w.Active })
}

func (b *book) Webhook(id string) (*store.Webhook, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.hooks {
		if w.ID == id {
			return w, nil
		}
	}
	return nil, store.ErrNotFound
}

func (b *book) change(id string, f func(*store.Webhook)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, w := range b.hooks {
		if w.ID == id {
			w := *w
			f(&w)
			b.hooks[i] = &w
		}
	}
}

func (b *book) DisableWebhook(_ context.Context, id, reason string) error {
	b.change(id, func(w *store.Webhook) { w.Active = false })
	b.mu.Lock()
	defer b.mu.Unlock()
	b.disabled[id] = reason
	return nil
}

func (b *book) SaveDeliveries(_ context.Context, list []store.Delivery) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fails {
		return store.ErrStorage
	}
	for _, d := range list {
		if _, known := b.log[d.ID]; !known {
			b.order = append(b.order, d.ID)
		}
		b.log[d.ID] = d
	}
	return nil
}

// whyDisabled is why the webhook a was disabled, "" when it was not.
func (b *book) whyDisabled() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.disabled["a"]
}

// deliveries are the log's entries, oldest first.
func (b *book) deliveries() []store.Delivery {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []store.Delivery
	for _, id := range b.order {
		list = append(list, b.log[id])
	}
	return list
}

// hit is a request that a receiver got.
type hit struct {
	at     time.Duration // since the test began
	host   string
	header http.Header
	body   string
}

// receiver answers in memory, on virtual time.
type receiver struct {
	begun  time.Time
	answer func(n int, h hit) (code int, header http.Header, delay time.Duration)

	mu   sync.Mutex
	hits []hit
	open int
	most int // requests at once
}

func newReceiver(answer func(n int, h hit) (int, http.Header, time.Duration)) *receiver {
	return &receiver{begun: time.Now(), answer: answer}
}

func always(code int) func(int, hit) (int, http.Header, time.Duration) {
	return func(int, hit) (int, http.Header, time.Duration) { return code, nil, 0 }
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	h := hit{time.Since(r.begun), req.URL.Host, req.Header, string(body)}
	r.mu.Lock()
	n := len(r.hits)
	r.hits = append(r.hits, h)
	r.open++
	r.most = max(r.most, r.open)
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.open--
		r.mu.Unlock()
	}()
	code, header, delay := r.answer(n, h)
	select {
	case <-time.After(delay):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	if code == 0 {
		return nil, fmt.Errorf("connection refused")
	}
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: code, Status: fmt.Sprint(code, " ", http.StatusText(code)), Header: header, Body: io.NopCloser(bytes.NewReader([]byte(header.Get("Test-Body"))))}, nil
}

func (r *receiver) got() []hit {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.hits)
}

// running is a deliverer at work.
type running struct {
	*Deliverer
	bus  *events.Bus
	stop func()
}

func start(t *testing.T, b *book, r http.RoundTripper, cfg Config) *running {
	t.Helper()
	bus := events.NewBus()
	d := NewDeliverer(bus, b, &http.Client{Transport: r}, cfg, quiet)
	d.random = func() float64 { return 0.5 } // no jitter
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := d.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	return &running{d, bus, func() {
		cancel()
		<-done
	}}
}

func (r *running) tell(call string, n int) events.Event {
	e := events.New(&events.DTMF{Head: events.Head{CallID: call, Sequence: n}, Digit: "1"}, time.Now())
	r.bus.Publish(e)
	return e
}
