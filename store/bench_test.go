package store_test

import (
	"fmt"
	"testing"

	"b2bua/flows"
	"b2bua/store"
)

// BenchmarkCreate adds a flow to a plan that has a thousand.
func BenchmarkCreate(b *testing.B) {
	s := fresh(b)
	for i := range 1000 {
		ok(b, s.Flows().Create(ctx, flow("x", number(i))))
	}
	for b.Loop() {
		f := flow("x", "")
		ok(b, s.Flows().Create(ctx, f))
		b.StopTimer()
		ok(b, s.Flows().Delete(ctx, f.ID, ""))
		b.StartTimer()
	}
}

func BenchmarkGet(b *testing.B) {
	s := fresh(b)
	f := flow("x", "")
	ok(b, s.Flows().Create(ctx, f))
	for b.Loop() {
		if _, err := s.Flows().Get(f.ID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSaveCallParallel(b *testing.B) {
	s := fresh(b)
	trace := make([]flows.Step, 10)
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			rec := call(n)
			rec.CallID = ""
			if err := s.SaveCall(ctx, rec, trace); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkFindKey(b *testing.B) {
	s := fresh(b)
	var secret string
	for i := range 20 {
		secret, _, _ = s.CreateKey(ctx, fmt.Sprint(i), store.ScopeRead)
	}
	for b.Loop() {
		if _, good := s.FindKey(secret); !good {
			b.Fatal("not found")
		}
	}
}
