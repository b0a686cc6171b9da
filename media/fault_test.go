package media

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"time"

	"b2bua/media/codec"
)

// A leg that breaks while it moves is not put back among the others.
func TestBrokenOnTheMoveStaysOff(t *testing.T) {
	e := benchEngine(newHole)
	e.shards = e.shards[:1]
	a, z := benchLeg(t, e, codec.PCMU), benchLeg(t, e, codec.PCMU)
	sh := a.shard.Load()
	sh.mu.Lock()
	defer sh.release()
	sh.detach(a)
	sh.lose(a, "test", "a fault", nil)
	if sh.meet(a, z) || slices.Contains(sh.phases[a.phase].legs, a.lane) || sh.size.Load() != 1 {
		t.Error("a broken leg is back")
	}
}

// A leg that panics again and again has one turn a tick all the same, and the
// others have theirs.
func TestEachGoesOn(t *testing.T) {
	e := benchEngine(newHole)
	e.shards = e.shards[:1]
	a, z := benchLeg(t, e, codec.PCMU), benchLeg(t, e, codec.PCMU)
	sh := a.shard.Load()
	sh.mu.Lock()
	defer sh.release()
	sh.lose(a, "test", "a fault", nil)
	var turns []*lane
	sh.each(&phase{legs: []*lane{a.lane, z.lane}}, "test", func(l *lane) {
		if turns = append(turns, l); l == a.lane && len(turns) < 10 {
			panic("again")
		}
	})
	if !slices.Equal(turns, []*lane{a.lane, z.lane}) {
		t.Errorf("%d turns", len(turns))
	}
}

// What an owner is told comes in order, though the leg changes its shard, and not
// after the session is closed.
func TestNewsInOrder(t *testing.T) {
	e := New(Config{Bind: farEnd.Addr(), PortMin: 20000, PortMax: 29999, Listen: newHole}, slog.New(slog.DiscardHandler))
	s := benchLeg(t, e, codec.PCMU)
	first, second := &shard{engine: e}, &shard{engine: e}
	var told []int
	post := func(sh *shard, n int) {
		sh.mu.Lock()
		defer sh.release()
		sh.later(s, "test", func() { told = append(told, n) })
	}
	post(first, 1)
	post(first, 2)
	post(second, 3)
	for _, sh := range []*shard{second, first} {
		sh.mu.Lock()
		sh.unlock()
	}
	if !slices.Equal(told, []int{1, 2, 3}) {
		t.Errorf("told %v", told)
	}
	post(first, 4)
	s.Close()
	post(first, 5)
	first.mu.Lock()
	first.unlock()
	if len(told) != 3 {
		t.Errorf("told %v after the end", told)
	}
}

// wall is a network that nothing can be sent to.
type wall struct{ Conn }

func (wall) WriteToUDPAddrPort([]byte, netip.AddrPort) (int, error) { return 0, errors.New("no route") }

// What the system did not send is not counted as sent.
func TestUnsentIsNotCounted(t *testing.T) {
	a, z, tick := bridgeByHand(t, benchEngine(func(at netip.AddrPort) (Conn, error) {
		h, err := newHole(at)
		return wall{h}, err
	}), codec.PCMA)
	for range 10 {
		a.packet()
		tick()
	}
	for _, s := range []*Session{a.s, z.s} {
		if st := s.Stats(); st.PacketsSent != 0 || st.BytesSent != 0 || st.Unsent == 0 {
			t.Errorf("%d sent, %d octets, %d not sent", st.PacketsSent, st.BytesSent, st.Unsent)
		}
	}
}

// asker is a log that asks the session something for every line.
type asker struct {
	slog.Handler
	ask func()
}

func (asker) Enabled(context.Context, slog.Level) bool    { return true }
func (a asker) Handle(context.Context, slog.Record) error { a.ask(); return nil }
func (a asker) WithAttrs([]slog.Attr) slog.Handler        { return a }
func (a asker) WithGroup(string) slog.Handler             { return a }

// Nothing is logged while a shard stands still: a log that takes its time holds up
// no sound.
func TestLogHoldsNothingUp(t *testing.T) {
	e := benchEngine(newHole)
	c := &caller{now: time.Second}
	lines := 0
	e.log = slog.New(asker{ask: func() {
		if lines++; c.s != nil && c.s.Stats().Local.IsValid() {
			return
		}
	}})
	c.s = benchLeg(t, e, codec.PCMU)
	c.speaks()
	c.s.ExpectFrom(netip.MustParseAddr("192.0.2.9"))
	sh := c.s.shard.Load()
	for _, step := range []func(){c.packet, func() { c.s.proof = unanswered{spent: time.Hour, looked: 1}; c.s.answered(c.now) }} {
		before := lines
		sh.mu.Lock()
		step()
		sh.unlock()
		if lines == before {
			t.Error("nothing logged")
		}
	}
}
