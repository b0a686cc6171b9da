package media

import (
	"sync/atomic"
	"time"
)

const (
	// overdue is from when on a tick that is late counts.
	overdue = 10 * time.Millisecond
	// delayWindow is for how long the latest tick is remembered, at least half of
	// that.
	delayWindow = 10 * time.Second
)

// delays is by how much the ticks of a shard came late. Only its loop notes them.
type delays struct {
	overdue   atomic.Uint64
	now, past atomic.Int64 // the latest of this half window and of the one before
	since     time.Duration
}

func (d *delays) note(late, now time.Duration) {
	if late > overdue {
		d.overdue.Add(1)
	}
	if now-d.since >= delayWindow/2 {
		d.since = now
		d.past.Store(d.now.Swap(int64(late)))
		return
	}
	if int64(late) > d.now.Load() {
		d.now.Store(int64(late))
	}
}

// Overdue counts the ticks that came more than 10 ms late.
func (e *Engine) Overdue() (n uint64) {
	for _, sh := range e.shards {
		n += sh.delays.overdue.Load()
	}
	return n
}

// Latest is by how much the latest tick of the last seconds was late.
func (e *Engine) Latest() time.Duration {
	var most int64
	for _, sh := range e.shards {
		most = max(most, sh.delays.now.Load(), sh.delays.past.Load())
	}
	return time.Duration(most)
}
