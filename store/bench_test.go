package store_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

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

// BenchmarkUpdateOfMany changes a flow in a plan that has ten thousand.
func BenchmarkUpdateOfMany(b *testing.B) {
	dir := b.TempDir()
	s := open(b, dir, store.Options{})
	f := flow("x", "")
	ok(b, s.Flows().Create(ctx, f))
	ok(b, s.Close())
	db, err := bbolt.Open(filepath.Join(dir, store.FileName), 0o600, nil)
	ok(b, err)
	ok(b, db.Update(func(tx *bbolt.Tx) error {
		rows := tx.Bucket([]byte("call_flows"))
		for i := range 10_000 {
			f.ID, f.PhoneNumber = fmt.Sprintf("cf_%05d", i), fmt.Sprintf("+1415%07d", 5550000+i)
			row, _ := json.Marshal(map[string]any{"value": f})
			ok(b, rows.Put([]byte(f.ID), row))
		}
		return nil
	}))
	ok(b, db.Close())
	s = open(b, dir, store.Options{})
	n := 0
	for b.Loop() {
		n++
		_, err := s.Flows().Update(ctx, "cf_05000", "", func(f *flows.CallFlow) error {
			f.Description = fmt.Sprint(n)
			return nil
		})
		ok(b, err)
	}
}
