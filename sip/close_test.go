package sip_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/sip"
	"b2bua/testbench/memnet"
)

func TestClosingEndsLegs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, net: memnet.New(), invited: make(chan *sip.Invitation, 1)}
		var err error
		b.ep, err = sip.New(sip.Config{Listen: []string{"udp://" + switchAt.String()}, ListenPacket: b.net.ListenPacket}, book{}, b, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.ep.Run(ctx) }()
		<-b.ep.Ready()
		_, _, o := talking(b)
		ringing := b.dial(sip.Dial{Target: sip.Target{URI: "sip:10.0.0.9"}})
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for _, o := range []*owner{o, ringing} {
			if ev := told[sip.Ended](o); ev.By != sip.ByTransport || ev.Code != 503 {
				t.Errorf("ended %+v", ev)
			}
		}
		if s := b.ep.Stats(); s.Legs+s.Dialogs+s.ServerTransactions+s.ClientTransactions != 0 {
			t.Errorf("left over: %+v", s)
		}
		synctest.Wait()
	})
}

func TestConfig(t *testing.T) {
	for _, c := range []sip.Config{
		{Listen: []string{"ftp://x:1"}}, {Listen: []string{"udp://x"}}, {Listen: []string{"udp://a b:5060"}}, {Listen: []string{"udp://h:99999"}},
		{Advertise: "a b"}, {Realm: "a\r\nb"}, {UserAgent: "a\nb"},
	} {
		if _, err := sip.New(c, book{}, decline{}, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("accepted %+v", c)
		}
	}
	if err := (sip.Config{Listen: []string{"udp://[::1]:5060", "tcp://:5060", "udp://host.example:5060"}, Advertise: "sip.example.com"}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestRunTellsWhyItCannotListen(t *testing.T) {
	busy := errors.New("busy")
	ep, err := sip.New(sip.Config{ListenPacket: func(string, string) (net.PacketConn, error) { return nil, busy }}, book{}, decline{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := ep.Run(t.Context()); !errors.Is(err, busy) {
		t.Errorf("got %v", err)
	}
}

// panicky is a handler with a fault.
type panicky struct{}

func (panicky) Invited(*sip.Invitation) { panic("fault") }

func TestPanicEndsOneCallOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, net: memnet.New()}
		ep, err := sip.New(sip.Config{Listen: []string{"udp://" + switchAt.String()}, ListenPacket: b.net.ListenPacket,
			Resolve: func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("none") }}, book{}, panicky{}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- ep.Run(ctx) }()
		<-ep.Ready()
		far := b.peer(trunkAt)
		for range 2 {
			d := far.call()
			far.expect("100")
			d.ackFailure(far.expect("500"))
		}
		if n := ep.Stats().Panics; n != 2 {
			t.Errorf("%d panics counted", n)
		}
		time.Sleep(time.Second)
		stop()
		<-done
	})
}
