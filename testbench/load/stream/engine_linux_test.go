package stream

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"b2bua/media/codec"
)

// Two streams that hear each other directly lose nothing, and what was done to a
// packet on its way is noticed.
func TestStreamsHearEachOther(t *testing.T) {
	e, err := New(netip.MustParseAddr("127.0.0.1"), 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		e.Run(ctx)
	}()
	defer func() {
		stop()
		<-ended
	}()
	a, b := e.Open(Voice{400, -15}), e.Open(Voice{1000, -15})
	f := Format{Codec: codec.PCMA, PayloadType: 8, Event: 101, Ptime: e.ptime}
	a.Hear(b)
	b.Hear(a)
	b.ListenForTones(true)
	for _, s := range []struct{ s, to *Stream }{{a, b}, {b, a}} {
		if err := s.s.Start(s.to.Local(), f); err != nil {
			t.Fatal(err)
		}
	}
	await(t, func() bool { return a.Packets() > 5 && b.Packets() > 5 })
	a.Press("42")
	b.Press("7")
	if err := a.PressTones("9"); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		events, tones := b.Keys()
		back, _ := a.Keys()
		return events == "42" && tones == "9" && back == "7"
	})
	e.Begin()
	from := a.Packets()
	await(t, func() bool { return a.Packets() > from+60 && b.Packets() > from+60 })
	e.End()
	last := a.Packets()
	await(t, func() bool { return a.Packets() > last+5 })
	r := e.Result()
	if r.Streams != 2 || r.Lost != 0 || r.Duplicates != 0 || r.Altered != 0 || r.Wrong != 0 || r.Expected < 100 || r.Received != r.Expected || r.Sent != r.Expected {
		t.Errorf("%+v", r)
	}
	if r.Delay.Count != r.Expected || r.LevelError > 0.2 {
		t.Errorf("%+v", r)
	}
}

// Packets of another stream are not taken for those of the partner.
func TestCrossedStreamsAreNoticed(t *testing.T) {
	e, err := New(netip.MustParseAddr("127.0.0.1"), 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		e.Run(ctx)
	}()
	a, b, c := e.Open(Voice{400, -15}), e.Open(Voice{400, -15}), e.Open(Voice{400, -15})
	f := Format{Codec: codec.PCMU, Ptime: e.ptime}
	b.Hear(c) // but it is a who speaks
	nowhere := netip.MustParseAddrPort("127.0.0.1:9")
	for s, to := range map[*Stream]netip.AddrPort{a: b.Local(), b: a.Local(), c: nowhere} {
		if err := s.Start(to, f); err != nil {
			t.Fatal(err)
		}
	}
	await(t, func() bool { return b.Packets() > 3 })
	e.Begin()
	from := b.Packets()
	await(t, func() bool { return b.Packets() > from+20 })
	e.End()
	if r := e.Result(); r.Altered < 10 || r.Lost == 0 {
		t.Errorf("%+v", r)
	}
	stop()
	<-ended
}

func await(t *testing.T, is func() bool) {
	t.Helper()
	tick, timeout := time.NewTicker(20*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatal("it did not happen within 20 s")
		}
	}
}
