package api

import (
	"net"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever the order of requests: never more than the burst at once, never more
// than the rate in the long run, and no bucket is kept that says nothing.
func TestLimiterProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := RateLimit{PerSecond: float64(rapid.IntRange(1, 20).Draw(t, "rate")), Burst: rapid.IntRange(1, 20).Draw(t, "burst")}
		l := newLimiter(limit)
		start := time.Unix(0, 0)
		now, passed := start, 0
		for _, pause := range rapid.SliceOf(rapid.IntRange(0, 2000)).Draw(t, "pauses") {
			now = now.Add(time.Duration(pause) * time.Millisecond)
			ok, left, wait := l.take("a", now)
			if ok {
				passed++
			} else if wait <= 0 || left != 0 {
				t.Fatalf("refused with %d left, wait %v", left, wait)
			}
			if most := float64(limit.Burst) + now.Sub(start).Seconds()*limit.PerSecond; float64(passed) > most+0.001 {
				t.Fatalf("%d passed, at most %.1f may", passed, most)
			}
		}
		l.sweep(now.Add(time.Hour))
		if len(l.of) != 0 {
			t.Fatalf("%d buckets are kept", len(l.of))
		}
	})
}

func TestListenerLimits(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitListener(inner, 3, 2)
	defer l.Close()
	accepted := make(chan net.Conn, 8)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	dial()
	dial()
	first, second := <-accepted, <-accepted
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("a third connection from one address was kept")
	}
	first.Close()
	first.Close() // twice must not make room twice
	dial()
	third := <-accepted
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("a connection too many was kept")
	}
	second.Close()
	third.Close()
}

func TestPlainLabel(t *testing.T) {
	for in, want := range map[string]string{"completed": "completed", "": "other", "+14155552671": "other", "routing_failed": "routing_failed"} {
		if got := plainLabel(in); got != want {
			t.Errorf("%q becomes %q", in, got)
		}
	}
}
