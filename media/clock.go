package media

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// frameTime is the tick of the clocks and the packet time we send.
	frameTime = 20 * time.Millisecond
	// frameSize is a frame in samples, at the one rate we run so far.
	sampleRate = 8000
	frameSize  = sampleRate / 50
	// catchUp is how many missed ticks are made up for after a stall. What is
	// older is given up: the far end's jitter buffer could not use it.
	catchUp = 25
)

// shard is one clock and the legs it drives. Legs that hear each other are on
// the same one. Its lock is taken once per tick, not per leg: what the clock
// owns of a leg may be changed by whoever holds it.
type shard struct {
	engine *Engine
	late   atomic.Uint64
	size   atomic.Int64

	mu    sync.Mutex
	tick  uint64
	legs  []*Session
	after []func() // callbacks of this tick, run when the lock is released

	broken []*Session                   // legs taken off, whose owners have not closed them yet
	packet [headerSize + maxPacket]byte // the one that the clock is at work on
}

func (sh *shard) run(ctx context.Context, base time.Time) {
	ticker := time.NewTicker(frameTime)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// Half a frame of grace, so that a ticker a little early or late does
		// not count twice or not at all.
		sh.advance(uint64((time.Since(base) + frameTime/2) / frameTime))
	}
}

// advance makes up every tick until due. All shards count from the same base,
// so that a leg can move between them and keep its time line.
func (sh *shard) advance(due uint64) {
	for _, f := range sh.until(due) {
		f()
	}
}

// until steps until due and gives the callbacks that came of it.
func (sh *shard) until(due uint64) (after []func()) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	behind := due - min(sh.tick, due)
	if behind > 1 {
		sh.late.Add(behind - 1)
	}
	if behind > catchUp {
		sh.tick = due - catchUp
		for _, s := range sh.legs {
			s.skip(uint32(behind-catchUp) * frameSize)
		}
	}
	for sh.tick < due {
		sh.tick++
		sh.step(sh.engine.now())
	}
	after, sh.after = sh.after, nil
	return after
}

// step is one tick: first everybody is heard, then everybody is spoken to, so
// that a bridge adds no tick of delay whatever the order of its legs.
func (sh *shard) step(now time.Duration) {
	sh.each("direct", func(s *Session) { s.direct(now) })
	sh.each("hear", func(s *Session) { s.hear(sh.tick) })
	sh.each("speak", func(s *Session) { s.speak(sh.tick, now) })
	sh.each("tend", func(s *Session) { s.tend(sh, now) })
	sh.remind(now)
}

func (sh *shard) add(s *Session) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.attach(s)
}

func (sh *shard) attach(s *Session) {
	sh.legs = append(sh.legs, s)
	sh.size.Add(1)
}

func (sh *shard) detach(s *Session) {
	if i := slices.Index(sh.legs, s); i >= 0 {
		sh.legs = slices.Delete(sh.legs, i, i+1)
		sh.size.Add(-1)
	}
	if i := slices.Index(sh.broken, s); i >= 0 {
		sh.broken = slices.Delete(sh.broken, i, i+1)
	}
}

func (sh *shard) remove(s *Session) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.detach(s)
	s.silence()
}

// move brings a leg to another clock, unless it is broken. The topology lock is
// held, so that shards are only ever locked in pairs here.
func (sh *shard) move(s *Session, to *shard) {
	if sh == to {
		return
	}
	sh.mu.Lock()
	if s.leg.gone {
		sh.mu.Unlock()
		return
	}
	sh.detach(s)
	s.shard.Store(to)
	sh.mu.Unlock()
	to.add(s)
}

// clocked runs f while the leg's clock stands still.
func (s *Session) clocked(f func()) {
	for {
		sh := s.shard.Load()
		sh.mu.Lock()
		if s.shard.Load() == sh {
			defer sh.mu.Unlock()
			f()
			return
		}
		sh.mu.Unlock()
	}
}
