package media_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"b2bua/media"
)

// BenchmarkRelayDelay is how long a packet takes through a shard, from one socket to
// the other, while other calls bring as many packets a second as its name says.
func BenchmarkRelayDelay(b *testing.B) {
	for name, burst := range map[string]int{"quiet": 0, "1000": 1, "2000": 2, "8000": 8} {
		b.Run(name, func(b *testing.B) {
			e := media.New(media.Config{Advertise: loopback, PortMin: 20000, PortMax: 29999}, slog.New(slog.DiscardHandler))
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- e.Run(ctx) }()
			a, z := calls(b, e), calls(b, e)
			relayed(a, z)
			stop := load(b, e, burst)
			took := make([]time.Duration, 0, b.N)
			for b.Loop() {
				n := marks.Add(1)
				began := time.Now()
				a.say(n)
				for got := z.hear(); got != nil; got = z.hear() {
					if bytes.Equal(got, frame(n)) {
						took = append(took, time.Since(began))
						break
					}
				}
			}
			stop()
			cancel()
			if err := <-ended; err != nil {
				b.Error(err)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// load has so many packets a millisecond sent through every shard, by calls of their
// own.
func load(tb testing.TB, e *media.Engine, burst int) (stop func()) {
	var talkers []*far
	for range 3 { // legs go where the fewest are: one pair at least shares the shard
		one, other := calls(tb, e), calls(tb, e)
		relayed(one, other)
		talkers = append(talkers, one)
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
			}
			for _, f := range talkers {
				for range burst {
					f.say(1)
				}
			}
		}
	}()
	return func() { close(end); <-ended }
}
