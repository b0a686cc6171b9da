package media_test

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"testing"

	"b2bua/media"
	"b2bua/media/tone"
)

// On real sockets two sessions find each other.
func TestLoopback(t *testing.T) {
	e := media.New(media.Config{Advertise: netip.MustParseAddr("127.0.0.1"), PortMin: 40000, PortMax: 49999}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := e.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	a, err := e.Open(media.Options{})
	if err != nil {
		t.Fatal(err)
	}
	z, err := e.Open(media.Options{})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := z.Answer(a.Offer())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Accept(answer); err != nil {
		t.Fatal(err)
	}
	heard := make(chan struct{})
	z.AddTap(&listener{heard: heard})
	p := a.Play(tone.Countries()[0].Ringback.Play(true))
	<-heard
	p.Stop()
	cancel()
	running.Wait()
	if e.Sessions() != 0 || e.PortsInUse() != 0 {
		t.Errorf("%d sessions, %d ports after the engine ended", e.Sessions(), e.PortsInUse())
	}
}

// listener tells when it hears something.
type listener struct {
	heard chan struct{}
	once  sync.Once
}

func (l *listener) Frame(f media.TapFrame) {
	for _, s := range f.PCM {
		if f.Dir == media.In && s > 1000 {
			l.once.Do(func() { close(l.heard) })
		}
	}
}
