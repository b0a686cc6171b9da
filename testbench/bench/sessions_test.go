package bench_test

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"

	"b2bua/media"
)

// words is how many packets each side sends before memory is looked at: sources are
// learnt by then, and the switch relays.
const words = 25

// sessionMemory is what the media sessions of so many bridged calls take: heap and
// stacks, before anything was said and once both sides are relayed.
func sessionMemory(b *testing.B, calls int) (silent, relayed int64) {
	b.Helper()
	loopback := netip.MustParseAddr("127.0.0.1")
	engine := media.New(media.Config{Bind: loopback, Advertise: loopback, PortMin: 10000, PortMax: 32000}, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx) }()
	far, err := openSpeakers()
	if err != nil {
		b.Fatal(err)
	}
	defer far.callers.conn.Close()
	defer far.trunk.conn.Close()
	open := func() *media.Session {
		s, err := engine.Open(media.Options{Codecs: []string{"PCMU", "PCMA"}})
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	first := open() // what is made when it is first needed is there now
	before := inUse()
	sessions := make([]*media.Session, 0, 2*calls)
	for range calls {
		caller, called := open(), open()
		answer, err := caller.Answer([]byte(far.callers.sound()))
		if err != nil {
			b.Fatal(err)
		}
		far.callers.hears(answer)
		far.trunk.hears(called.Offer())
		if err := called.Accept([]byte(far.trunk.sound())); err != nil {
			b.Fatal(err)
		}
		media.Bridge(caller, called)
		sessions = append(sessions, caller, called)
	}
	silent = inUse() - before
	for try := 0; try == 0 || !sessions[0].Stats().Relayed || !sessions[len(sessions)-1].Stats().Relayed; try++ {
		if err := far.speak(words); err != nil || try > 20 {
			b.Fatalf("the bridge does not relay: %+v, %v", sessions[0].Stats(), err)
		}
	}
	relayed = inUse() - before
	for _, s := range append(sessions, first) {
		s.Close()
	}
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	return silent, relayed
}
