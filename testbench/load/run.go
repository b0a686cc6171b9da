package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// place is where calls are made.
type place struct {
	binary string         // the switch to start; "": target
	target netip.AddrPort // SIP address of a running one
	bind   netip.AddrPort // ours
	pid    int            // of a running one, for its figures
}

// site is a switch and its far ends.
type site struct {
	*field
	own *ownSwitch // nil: it runs by itself
	pid int
}

// open starts what a trial needs.
func (p place) open(ctx context.Context, t trial) (*site, error) {
	target := p.target
	if p.binary != "" {
		t.Number = ownNumber
		var err error
		if target, err = freePort("udp4"); err != nil {
			return nil, err
		}
	}
	f, err := openField(ctx, t, p.bind, target)
	if err != nil {
		return nil, err
	}
	s := &site{field: f, pid: p.pid}
	if p.binary == "" {
		return s, nil
	}
	if s.own, err = startSwitch(ctx, p.binary, t, target, f.line.Addr()); err != nil {
		f.close()
		return nil, err
	}
	s.pid = s.own.cmd.Process.Pid
	return s, nil
}

func (s *site) close() {
	s.field.close()
	if s.own != nil {
		s.own.stop()
	}
}

// held is what the switch holds on to.
type held struct {
	resident    int64
	heap, ticks float64
	overdue     float64 // ticks later than 10 ms
	latest      float64 // seconds that a tick was late, of the last ten seconds
	recordings  float64
	dropped     float64 // frames of sound that recordings have lost
}

func (s *site) held(ctx context.Context) held {
	h := held{resident: usageOf(s.pid).resident}
	if s.own != nil {
		h.heap = s.own.metric(ctx, "go_memstats_heap_alloc_bytes") + s.own.metric(ctx, "go_memstats_stack_inuse_bytes")
		h.ticks = s.own.metric(ctx, "b2bua_media_late_ticks_total")
		h.overdue = s.own.metric(ctx, "b2bua_media_overdue_ticks_total")
		h.latest = s.own.metric(ctx, "b2bua_media_latest_tick_seconds")
		h.recordings = s.own.metric(ctx, "b2bua_recordings_active")
		h.dropped = s.own.metric(ctx, "b2bua_recording_frames_dropped_total")
	}
	return h
}

// run makes one trial from beginning to end.
func (p place) run(ctx context.Context, t trial) (outcome, error) {
	if t.Mode == modeBare {
		return runBare(ctx, t, p.bind.Addr())
	}
	s, err := p.open(ctx, t)
	if err != nil {
		return outcome{trial: t}, err
	}
	defer s.close()
	before := s.held(ctx)
	if err := s.raise(ctx, t.Calls); err != nil {
		return outcome{trial: t}, fmt.Errorf("set up: %w", err)
	}
	if err := pause(ctx, settling); err != nil {
		return outcome{trial: t}, err
	}
	right := 0
	if t.Keys != "" && !t.menus() {
		if right, err = s.keysThrough(ctx); err != nil {
			return outcome{trial: t}, err
		}
	}
	during := s.held(ctx)
	o, err := measure(ctx, t, s.engine, s.pid)
	if err != nil {
		return o, err
	}
	o.MemoryCall = float64(during.resident-before.resident) / float64(t.Calls) / 1000
	o.HeapCall = (during.heap - before.heap) / float64(t.Calls) / 1000
	after := s.held(ctx)
	o.LateTicks, o.OverdueTicks, o.LatestTick = after.ticks-during.ticks, after.overdue-during.overdue, after.latest*1000
	if t.Mode == modeRecord && s.own != nil {
		o.Recordings, o.FramesDropped = min(int(during.recordings), int(after.recordings)), after.dropped
	}
	if t.Keys != "" {
		o.KeysWanted = t.Calls
		if t.menus() {
			var missing error
			if right, missing = s.keysInMenu(ctx); missing != nil {
				o.Problem = missing.Error()
			}
		}
		o.KeysRight = right
	}
	return o, errors.Join(ctx.Err(), s.hangUp(ctx))
}

// search adds calls until they no longer fit, and then looks between: most is the
// largest number that fitted, to a twentieth.
func (p place) search(ctx context.Context, t trial, tell func(outcome)) (most outcome, err error) {
	t.Keys, t.Duration = "", max(3*time.Second, t.Duration/5)
	most, tooMany, err := p.climb(ctx, t, tell)
	for err == nil && tooMany-most.Calls > max(1, most.Calls/20) {
		var o outcome
		if o, err = p.once(ctx, t, (most.Calls+tooMany)/2, tell); err != nil {
			break
		}
		if o.misses() == "" {
			most = o
		} else {
			tooMany = o.Calls
		}
	}
	return most, err
}

const (
	growth    = 1.25
	mostCalls = 100_000
)

// climb raises the number of calls of one switch step by step until they are too
// many.
func (p place) climb(ctx context.Context, t trial, tell func(outcome)) (most outcome, tooMany int, err error) {
	s, err := p.open(ctx, t)
	if err != nil {
		return most, 0, err
	}
	defer s.close()
	for size := t.Calls; size < mostCalls; size = max(size+1, int(float64(size)*growth)) {
		o := s.reach(ctx, size)
		if o.misses() != "" && o.Problem == "" {
			o = s.reach(ctx, size) // it may have been the moment
		}
		if ctx.Err() != nil {
			return most, size, ctx.Err()
		}
		tell(o)
		if o.misses() != "" {
			return most, size, nil
		}
		most = o
	}
	return most, mostCalls, nil
}

// once tries one number of calls on a fresh switch.
func (p place) once(ctx context.Context, t trial, size int, tell func(outcome)) (outcome, error) {
	s, err := p.open(ctx, t)
	if err != nil {
		return outcome{}, err
	}
	defer s.close()
	o := s.reach(ctx, size)
	if ctx.Err() == nil {
		tell(o)
	}
	return o, ctx.Err()
}

// reach raises the number of calls to a size and measures.
func (s *site) reach(ctx context.Context, size int) outcome {
	t := s.t
	t.Calls = size
	s.mu.Lock()
	further := size - len(s.calls)
	s.mu.Unlock()
	err := s.raise(ctx, further)
	if err == nil {
		err = pause(ctx, settling)
	}
	var o outcome
	if err == nil {
		o, err = measure(ctx, t, s.engine, s.pid)
	}
	if err != nil {
		o = outcome{trial: t, Problem: err.Error()}
	}
	return o
}
