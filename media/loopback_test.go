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

// On real sockets the sessions of two engines find each other.
func TestLoopback(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	open := func(from int) (*media.Engine, *media.Session) {
		e := media.New(media.Config{Advertise: netip.MustParseAddr("127.0.0.1"), PortMin: from, PortMax: from + 999}, slog.New(slog.DiscardHandler))
		running.Go(func() {
			if err := e.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		s, err := e.Open(media.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return e, s
	}
	one, a := open(20000)
	other, z := open(21000)
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
	for _, e := range []*media.Engine{one, other} {
		if e.Sessions() != 0 || e.PortsInUse() != 0 {
			t.Errorf("%d sessions, %d ports after the engine ended", e.Sessions(), e.PortsInUse())
		}
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
