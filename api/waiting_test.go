package api_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"b2bua/api"
)

// serve runs b until end, which waits for everything that Run waits for.
func (b *bench) serve() (end func()) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- b.api.Run(ctx) }()
	select {
	case <-b.api.Started():
	case err := <-done:
		b.t.Fatal(err)
	}
	return func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Errorf("run: %v", err)
		}
	}
}

const (
	transferLater = "/v2/calls/call_a/transfer?async=true"
	toSales       = `{"destination":"+14155552673"}`
)

// A command that panics after its request was answered costs that command only.
func TestPanicOfALaterCommand(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var log bytes.Buffer
	b := newBench(t, onPort, func(d *api.Deps) { d.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	l := b.begin("call_a")
	l.panics = true
	end := b.serve()
	b.want(b.do("POST", transferLater, toSales), http.StatusAccepted)
	end()
	if text := log.String(); !strings.Contains(text, "panic in a command") || !strings.Contains(text, "did=transfer") || !strings.Contains(text, "told to") {
		t.Errorf("the log says %s", text)
	}
}

// Requests that outlive the API start nothing that nobody waits for.
func TestNoCommandAfterTheEnd(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	b := newBench(t, onPort)
	b.begin("call_a")
	end := b.serve()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				switch a := b.do("POST", transferLater, toSales); a.Code {
				case http.StatusAccepted:
				case http.StatusServiceUnavailable:
					return
				default:
					t.Errorf("answered %d %s", a.Code, a.Body)
					return
				}
			}
		})
	}
	end()
	wg.Wait()
	b.want(b.do("POST", "/v2/calls/call_a/gather-dtmf?async=true", ""), http.StatusServiceUnavailable, "internal_error")
}
