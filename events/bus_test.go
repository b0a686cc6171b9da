package events_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"b2bua/events"
)

func digit(call string, n int) events.Event {
	return events.New(&events.DTMF{Head: events.Head{CallID: call, Sequence: n}}, moment)
}

func sequences(s *events.Subscription) (ns []int) {
	for e := range s.C() {
		ns = append(ns, e.Data.Header().Sequence)
	}
	return ns
}

func TestUnboundedLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := events.NewBus()
		s := b.Subscribe(0)
		for n := range 10_000 {
			b.Publish(digit("call_1", n))
		}
		b.Close()
		b.Publish(digit("call_1", -1))
		for n, got := range sequences(s) {
			if got != n {
				t.Fatalf("event %d came as number %d", got, n)
			}
		}
		if s.Dropped() != 0 {
			t.Errorf("%d dropped", s.Dropped())
		}
		s.Close()
	})
}

func TestBoundedDropsAndCounts(t *testing.T) {
	b := events.NewBus()
	slow, other := b.Subscribe(2), b.Subscribe(16)
	for n := range 10 {
		b.Publish(digit("call_1", n))
	}
	b.Close()
	if got := fmt.Sprint(sequences(slow)); got != "[0 1]" || slow.Dropped() != 8 {
		t.Errorf("the slow reader heard %s and %d were counted", got, slow.Dropped())
	}
	if got := len(sequences(other)); got != 10 {
		t.Errorf("the other reader heard %d", got)
	}
}

// TestOrderPerPublisher lets several goroutines tell at once while listeners
// come and go.
func TestOrderPerPublisher(t *testing.T) {
	b := events.NewBus()
	all := b.Subscribe(0)
	var tellers, passers sync.WaitGroup
	for p := range 4 {
		tellers.Go(func() {
			for n := range 500 {
				b.Publish(digit(fmt.Sprint(p), n))
			}
		})
		passers.Go(func() {
			for depth := range 20 {
				s := b.Subscribe(depth)
				s.Close()
				s.Close()
			}
		})
	}
	heard := make(chan map[string]int)
	go func() {
		next := map[string]int{}
		for e := range all.C() {
			h := e.Data.Header()
			if next[h.CallID] != h.Sequence {
				t.Errorf("call %s: %d instead of %d", h.CallID, h.Sequence, next[h.CallID])
			}
			next[h.CallID]++
		}
		heard <- next
	}()
	tellers.Wait()
	passers.Wait()
	b.Close()
	for p, n := range <-heard {
		if n != 500 {
			t.Errorf("teller %s was heard %d times", p, n)
		}
	}
}

// TestCloseWithUnread closes a listener that does not read: its goroutine ends.
func TestCloseWithUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := events.NewBus()
		s, unheard := b.Subscribe(0), b.Subscribe(0)
		b.Publish(digit("call_1", 1))
		s.C()
		synctest.Wait()
		unheard.Close()
		if _, open := <-unheard.C(); open {
			t.Error("a closed subscription told something")
		}
		b.Publish(digit("call_1", 2))
		s.Close()
		b.Publish(digit("call_1", 3))
		b.Close()
	})
}

func TestSubscribeAfter(t *testing.T) {
	b := events.NewBus()
	const told = 5000
	var ids []string
	for n := range told {
		e := digit("call_1", n)
		ids = append(ids, e.ID)
		b.Publish(e)
	}
	late, complete := b.SubscribeAfter(ids[told-3], 1)
	lost, known := b.SubscribeAfter(ids[0], 1)
	all, whole := b.SubscribeAfter(ids[told-4096], 0)
	b.Publish(digit("call_1", told))
	b.Close()
	if got := fmt.Sprint(sequences(late)); got != "[4998 4999 5000]" || !complete {
		t.Errorf("after the third last: %s, complete %v", got, complete)
	}
	if got := fmt.Sprint(sequences(lost)); got != "[5000]" || known {
		t.Errorf("after a forgotten one: %s, complete %v", got, known)
	}
	if got := sequences(all); len(got) != 4096 || !whole {
		t.Errorf("after the oldest: %d events, complete %v", len(got), whole)
	}
	if s := b.Subscribe(1); len(sequences(s)) != 0 {
		t.Error("a closed bus told something")
	}
}

func BenchmarkPublish(b *testing.B) {
	bus := events.NewBus()
	for range 4 {
		bus.Subscribe(1)
	}
	e := digit("call_1", 1)
	b.ReportAllocs()
	for b.Loop() {
		bus.Publish(e)
	}
}
