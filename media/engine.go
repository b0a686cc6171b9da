package media

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Engine owns the ports, the shards and the sessions.
type Engine struct {
	cfg    Config
	log    *slog.Logger
	ports  *ports
	own    own
	epoch  time.Time // all monotonic times inside count from here
	shards []*shard

	// topology guards which legs share a shard and who is bridged to whom.
	topology sync.Mutex
	sessions map[*Session]struct{}
	ended    bool // Run has
	nextID   atomic.Uint64
}

// New makes an engine; it starts nothing. An invalid configuration shows as an
// error of Run and of Open.
func New(cfg Config, log *slog.Logger) *Engine {
	cfg = cfg.withDefaults()
	e := &Engine{cfg: cfg, log: log, epoch: time.Now(), sessions: make(map[*Session]struct{})}
	if cfg.Validate() == nil {
		e.ports = newPorts(cfg)
		e.own = newOwn(cfg, e.ports)
	}
	for range runtime.GOMAXPROCS(0) {
		e.shards = append(e.shards, &shard{engine: e})
	}
	return e
}

// Run drives the shards until ctx ends, then closes the sessions still open.
func (e *Engine) Run(ctx context.Context) error {
	if err := e.cfg.Validate(); err != nil {
		return fmt.Errorf("media: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var loops sync.WaitGroup
	for _, sh := range e.shards {
		loops.Go(func() {
			if err := sh.run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	loops.Wait()
	e.end()
	for _, s := range e.open() {
		s.Close()
	}
	for _, sh := range e.shards {
		sh.stop()
	}
	if err := context.Cause(ctx); !errors.Is(err, ctx.Err()) {
		return err
	}
	return nil
}

// now is the engine's monotonic time.
func (e *Engine) now() time.Duration { return time.Since(e.epoch) }

// Sessions is how many sessions are open.
func (e *Engine) Sessions() int {
	e.topology.Lock()
	defer e.topology.Unlock()
	return len(e.sessions)
}

// PortsInUse is how many port pairs are taken.
func (e *Engine) PortsInUse() int {
	if e.ports == nil {
		return 0
	}
	return e.ports.used()
}

// LateTicks counts the ticks that came late and were caught up with, and those
// given up because the stall was too long.
func (e *Engine) LateTicks() uint64 {
	var n uint64
	for _, sh := range e.shards {
		n += sh.late.Load()
	}
	return n
}

func (e *Engine) open() []*Session {
	e.topology.Lock()
	defer e.topology.Unlock()
	all := make([]*Session, 0, len(e.sessions))
	for s := range e.sessions {
		all = append(all, s)
	}
	return all
}

// Open takes a port pair and starts receiving on it. When Run has ended it fails
// with ErrClosed.
func (e *Engine) Open(o Options) (*Session, error) {
	if err := e.cfg.Validate(); err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	formats, err := o.formats()
	if err != nil {
		return nil, err
	}
	rtp, rtcp, at, err := e.ports.take()
	if err != nil {
		return nil, err
	}
	s := newSession(e, o, formats, at, rtp, rtcp)
	if err := e.house(s); err != nil {
		err = errors.Join(err, s.hangUp())
		e.ports.release(at)
		return nil, fmt.Errorf("open a session: %w", err)
	}
	s.listen()
	return s, nil
}

// end lets no more sessions in.
func (e *Engine) end() {
	e.topology.Lock()
	defer e.topology.Unlock()
	e.ended = true
}

// house puts a session on the emptiest shard.
func (e *Engine) house(s *Session) error {
	e.topology.Lock()
	defer e.topology.Unlock()
	if e.ended {
		return ErrClosed
	}
	home := e.shards[0]
	for _, sh := range e.shards[1:] {
		if sh.size.Load() < home.size.Load() {
			home = sh
		}
	}
	if err := home.add(s); err != nil {
		return err
	}
	e.sessions[s] = struct{}{}
	return nil
}

// forget ends a session and takes it off the books.
func (e *Engine) forget(s *Session) error {
	e.topology.Lock()
	defer e.topology.Unlock()
	delete(e.sessions, s)
	if p := s.bridged(); p != nil {
		part(s, p)
	}
	return s.shard.Load().remove(s)
}
