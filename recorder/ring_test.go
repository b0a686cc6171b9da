package recorder

import (
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func TestRingKeepsOrderAndContent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &ring{words: make([]int16, 64)}
		start := rapid.Uint64Range(0, 1000).Draw(t, "start")
		r.head.Store(start)
		r.tail.Store(start)
		var queue []record
		used := 0
		var buf [maxFrame]int16
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "put") {
				rec := record{
					tick: rapid.Uint64().Draw(t, "tick"), rate: rapid.SampledFrom([]int{8000, 16000, 48000}).Draw(t, "rate"),
					out: rapid.Bool().Draw(t, "out"), paused: rapid.Bool().Draw(t, "paused"),
					pcm: rapid.SliceOfN(rapid.Int16(), 0, 40).Draw(t, "pcm"),
				}
				need := recordHead + len(rec.pcm)
				if ok := r.put(rec); ok != (used+need <= len(r.words)) {
					t.Fatalf("put %d with %d used: %v", need, used, ok)
				} else if ok {
					queue, used = append(queue, rec), used+need
				}
				continue
			}
			got, ok := r.take(buf[:])
			if ok != (len(queue) > 0) {
				t.Fatal("take from an empty ring, or none from a full one")
			}
			if !ok {
				continue
			}
			want := queue[0]
			queue, used = queue[1:], used-recordHead-len(want.pcm)
			if got.tick != want.tick || got.rate != want.rate || got.out != want.out || got.paused != want.paused || !slices.Equal(got.pcm, want.pcm) {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		}
	})
}

func TestRingBetweenTwoGoroutines(t *testing.T) {
	r := newRing()
	const n = 20000
	var wg sync.WaitGroup
	wg.Go(func() {
		pcm := make([]int16, 160)
		for i := 0; i < n; {
			pcm[0], pcm[159] = int16(i), int16(i)
			if r.put(record{tick: uint64(i), rate: 8000, pcm: pcm[:1+i%160]}) {
				i++
			}
		}
	})
	var buf [maxFrame]int16
	for i := 0; i < n; {
		rec, ok := r.take(buf[:])
		if !ok {
			continue
		}
		if rec.tick != uint64(i) || len(rec.pcm) != 1+i%160 || rec.pcm[0] != int16(i) {
			t.Fatalf("record %d: %+v", i, rec)
		}
		i++
	}
	wg.Wait()
}
