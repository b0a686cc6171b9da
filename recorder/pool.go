package recorder

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Pool is the few goroutines that encode and write the recordings of a switch,
// each some of them: so many threads of an encoder as there are processors, and
// not one for each recording, compete with the sound of the calls, and they give
// way to it. A disk without room ends the recordings on it.
type Pool struct {
	least   int64 // bytes that recordings leave free; see Room
	workers []*worker
	ending  sync.WaitGroup // files being completed

	active  atomic.Int64
	dropped atomic.Uint64
	full    atomic.Uint64
	failed  atomic.Uint64

	mu   sync.Mutex
	room map[string]roomFor
}

// Stats counts what the recordings of a pool have met with.
type Stats struct {
	Active           int    // being written now
	Dropped          uint64 // frames of sound lost, because encoder or disk were too slow
	Failed, DiskFull uint64 // recordings that ended early; of these: because the disk was full
}

// NewPool makes a pool that works while Run does. Recordings stop when less than
// so many bytes are free: other files on that disk need some, too. 0: a hundredth
// of the disk, at most 64 MB.
func NewPool(least int64) *Pool {
	p := &Pool{least: least, room: make(map[string]roomFor)}
	for range runtime.GOMAXPROCS(0) {
		p.workers = append(p.workers, newWorker())
	}
	return p
}

// Run encodes and writes until ctx ends, and until all recordings are complete
// that were begun before.
func (p *Pool) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, w := range p.workers {
		all.Go(func() {
			giveWay()
			w.run(ctx)
		})
	}
	all.Wait()
	p.ending.Wait()
	return nil
}

// Stats tells how the recordings have fared.
func (p *Pool) Stats() Stats {
	return Stats{Active: int(p.active.Load()), Dropped: p.dropped.Load(), Failed: p.failed.Load(), DiskFull: p.full.Load()}
}

// take gives a recording to the worker that has the fewest.
func (p *Pool) take(r *Recording) {
	p.active.Add(1)
	best := p.workers[0]
	for _, w := range p.workers[1:] {
		if w.size.Load() < best.size.Load() {
			best = w
		}
	}
	r.worker = best
	best.size.Add(1)
	best.ask(r)
}

// over is told of the end of a recording.
func (p *Pool) over(r *Result) {
	p.active.Add(-1)
	p.dropped.Add(r.Dropped)
	if r.Err != nil {
		p.failed.Add(1)
	}
	if r.Reason == DiskFull {
		p.full.Add(1)
	}
}

// turns is how many groups the recordings of a worker fall into, which are
// written one after the other: none waits long for those before it.
const turns = 10

// worker encodes and writes some recordings.
type worker struct {
	size  atomic.Int64
	group [turns][]*Recording
	turn  int
	bell  chan struct{}

	mu    sync.Mutex
	asked []*Recording // new ones, and those that are to end
}

func newWorker() *worker { return &worker{bell: make(chan struct{}, 1)} }

// ask has the worker look at a recording soon.
func (w *worker) ask(r *Recording) {
	w.mu.Lock()
	w.asked = append(w.asked, r)
	w.mu.Unlock()
	select {
	case w.bell <- struct{}{}:
	default:
	}
}

func (w *worker) run(ctx context.Context) {
	tick := time.NewTicker(writeEvery / turns)
	defer tick.Stop()
	for stop, idle := ctx.Done(), false; ; {
		// Nothing to write is nothing to wake for: a thread of its own is dear to wake.
		if none := w.size.Load() == 0; none != idle {
			if idle = none; idle {
				tick.Stop()
			} else {
				tick.Reset(writeEvery / turns)
			}
		}
		select {
		case <-tick.C:
			w.turn = (w.turn + 1) % turns
			w.write(&w.group[w.turn])
		case <-w.bell:
			w.answer()
		case <-stop:
			stop = nil
		}
		if stop == nil && w.size.Load() == 0 {
			return
		}
	}
}

// write lets each recording of a group write what it has.
func (w *worker) write(group *[]*Recording) {
	kept := (*group)[:0]
	for _, r := range *group {
		if !r.step(false) {
			kept = append(kept, r)
		} else {
			w.size.Add(-1)
		}
		runtime.Gosched() // whoever makes sound is not kept waiting
	}
	clear((*group)[len(kept):])
	*group = kept
}

// answer takes new recordings in, and ends those that are to end.
func (w *worker) answer() {
	w.mu.Lock()
	asked := w.asked
	w.asked = nil
	w.mu.Unlock()
	for _, r := range asked {
		if !r.joined {
			r.joined = true
			small := 0
			for i := range w.group {
				if len(w.group[i]) < len(w.group[small]) {
					small = i
				}
			}
			r.turn = small
			w.group[small] = append(w.group[small], r)
			continue
		}
		if !r.stepped && r.step(false) {
			w.size.Add(-1)
			w.group[r.turn] = slices.DeleteFunc(w.group[r.turn], func(have *Recording) bool { return have == r })
		}
	}
}
