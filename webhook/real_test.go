package webhook

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"b2bua/events"
	"b2bua/store"
)

// TestOverRealSockets delivers from a real store to a real server, and leaves
// nothing behind.
func TestOverRealSockets(t *testing.T) {
	defer goleak.VerifyNone(t)
	got := make(chan hit, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- hit{header: r.Header, body: string(body)}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	s, err := store.Open(t.TempDir(), store.Options{InsecureWebhooks: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wants := store.NewWebhook()
	wants.URL, wants.Events = server.URL, []string{"call.ringing"}
	if err := s.Webhooks().Create(t.Context(), wants); err != nil {
		t.Fatal(err)
	}
	bus := events.NewBus()
	d := NewDeliverer(bus, s, NewClient(Guard{AllowPrivate: true}), Config{}, quiet)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- d.Run(ctx) }()
	now := time.Now()
	bus.Publish(events.New(&events.Initiated{InitiatedAt: now}, now))
	for n := range 5 {
		bus.Publish(events.New(&events.Ringing{Head: events.Head{CallID: "call_1", Sequence: n}, RingingAt: now}, now))
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if len(got) != 5 {
		t.Fatalf("%d came", len(got))
	}
	verify(t, <-got, wants.SigningSecret)
	log, _, err := s.Deliveries().List(store.Query[store.Delivery]{Owner: wants.ID, Newest: true}, "", 0)
	if err != nil || len(log) != 5 || log[0].Result != store.DeliveryDelivered || log[0].Attempts[0].StatusCode != http.StatusAccepted {
		t.Errorf("the log: %+v, %v", log, err)
	}
}

// TestNeverRun makes a deliverer and throws it away.
func TestNeverRun(t *testing.T) {
	defer goleak.VerifyNone(t)
	bus := events.NewBus()
	NewDeliverer(bus, newBook("a"), http.DefaultClient, Config{}, quiet)
	bus.Publish(events.New(&events.Test{}, time.Now()))
	bus.Close()
}

func BenchmarkDeliver(b *testing.B) {
	bus := events.NewBus()
	r := newReceiver(always(http.StatusOK))
	d := NewDeliverer(bus, newBook("a"), &http.Client{Transport: r}, Config{MaxWaiting: 1 << 30}, quiet)
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- d.Run(ctx) }()
	for b.Loop() {
		bus.Publish(events.New(&events.Ringing{Head: events.Head{CallID: events.NewID("call_")}}, time.Now()))
	}
	stop()
	<-ended
}
