package loop_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/internal/loop"
)

func TestRunsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := loop.New()
		var got []int
		for i := range 3 {
			l.Post(func() { got = append(got, i) })
		}
		go l.Run(t.Context())
		l.Post(func() {
			got = append(got, 3)
			l.Post(func() { got = append(got, 5) })
		})
		l.Post(func() { got = append(got, 4) })
		synctest.Wait()
		l.Stop()
		<-l.Done()
		for i, v := range got {
			if v != i {
				t.Fatalf("ran in order %v", got)
			}
		}
		if len(got) < 5 {
			t.Fatalf("ran only %v", got)
		}
	})
}

func TestKeepsOrderOfEachPoster(t *testing.T) {
	l := loop.New()
	go l.Run(t.Context())
	const posters, each = 8, 500
	last := [posters]int{}
	bad := 0
	var wg sync.WaitGroup
	for p := range posters {
		wg.Go(func() {
			for i := 1; i <= each; i++ {
				l.Post(func() {
					if last[p] != i-1 {
						bad++
					}
					last[p] = i
				})
			}
		})
	}
	wg.Wait()
	l.Stop()
	<-l.Done()
	if bad != 0 || last != [posters]int{each, each, each, each, each, each, each, each} {
		t.Fatalf("%d out of order, last %v", bad, last)
	}
}

func TestStopDrainsWhatWasPosted(t *testing.T) {
	l := loop.New()
	ran := 0
	for range 10 {
		l.Post(func() { ran++ })
	}
	l.Stop()
	if l.Post(func() { ran = -1 }) {
		t.Error("a stopped loop took more")
	}
	l.Run(t.Context())
	if ran != 10 {
		t.Errorf("ran %d of 10", ran)
	}
	if err := l.Call(t.Context(), func() {}); !errors.Is(err, loop.ErrStopped) {
		t.Errorf("call on a stopped loop: %v", err)
	}
	l.Stop() // again, without harm
}

func TestContextEndsTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l := loop.New()
		go l.Run(ctx)
		synctest.Wait()
		cancel()
		<-l.Done()
	})
}

func TestCallWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := loop.New()
		go l.Run(t.Context())
		ran := false
		if err := l.Call(t.Context(), func() { ran = true }); err != nil || !ran {
			t.Fatalf("err %v, ran %v", err, ran)
		}
		hold := make(chan struct{})
		l.Post(func() { <-hold })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		late := false
		if err := l.Call(ctx, func() { late = true }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("given up call: %v", err)
		}
		close(hold)
		l.Stop()
		<-l.Done()
		if late {
			t.Error("a call that was given up ran")
		}
	})
}

func TestTimerFiresOnTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := loop.New()
		go l.Run(t.Context())
		start := time.Now()
		var at time.Duration
		l.After(3*time.Second, func() { at = time.Since(start) })
		time.Sleep(4 * time.Second) // virtual
		l.Stop()
		<-l.Done()
		if at != 3*time.Second {
			t.Errorf("fired after %v", at)
		}
	})
}

// A timer whose time is up may already be queued behind the function that stops
// it: it must not run all the same.
func TestStoppedTimerNeverRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := loop.New()
		go l.Run(t.Context())
		fired := false
		timer := l.After(time.Second, func() { fired = true })
		l.Post(func() {
			time.Sleep(2 * time.Second) // the timer queues its function meanwhile
			timer.Stop()
		})
		synctest.Wait()
		time.Sleep(5 * time.Second)
		l.Stop()
		<-l.Done()
		if fired {
			t.Error("stopped timer ran")
		}
		var none *loop.Timer
		none.Stop()
	})
}

func TestPanicIsHandedOver(t *testing.T) {
	l := loop.New()
	var got any
	var stack []byte
	l.OnPanic = func(v any, s []byte) { got, stack = v, s }
	after := false
	l.Post(func() { panic("boom") })
	l.Post(func() { after = true })
	l.Stop()
	l.Run(t.Context())
	if got != "boom" || len(stack) == 0 || !after {
		t.Errorf("panic %v, stack %d bytes, went on %v", got, len(stack), after)
	}
}

func BenchmarkPost(b *testing.B) {
	l := loop.New()
	go l.Run(b.Context())
	f := func() {}
	b.ReportAllocs()
	for b.Loop() {
		l.Post(f)
	}
	l.Stop()
	<-l.Done()
}
