package exchange

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// service is something that runs as long as its context lives.
type service struct {
	name string
	run  func(ctx context.Context) error
}

// running is a service at work.
type running struct {
	stop context.CancelFunc
	done chan struct{}
}

// Run runs the switch until ctx ends, then drains: new calls are turned away,
// those that run may go on for the drain time-out (Cut shortens it), then they
// are ended, their recordings completed and their last events delivered. It
// returns an error when a service could not start or has failed.
func (x *Exchange) Run(ctx context.Context) error {
	failed := make(chan error, 8)
	var up sync.WaitGroup
	start := func(s service) running {
		own, stop := context.WithCancel(context.Background())
		r := running{stop: stop, done: make(chan struct{})}
		up.Go(func() {
			defer close(r.done)
			if err := s.run(own); err != nil && !errors.Is(err, context.Canceled) {
				failed <- fmt.Errorf("%s: %w", s.name, err)
			}
		})
		return r
	}
	var order []running
	for _, s := range x.services() {
		order = append(order, start(s))
	}
	var err error
	select {
	case <-ctx.Done():
		x.log.Info("draining", "calls", x.calls.Len(), "timeout", x.cfg.DrainTimeout)
		x.turnAway()
		x.drain()
	case err = <-failed:
		x.log.Error("service failed", "err", err)
	}
	x.turnAway()
	x.endAll()
	<-x.calls.Emptied()
	x.goodbyes()
	for i := len(order) - 1; i >= 0; i-- {
		order[i].stop()
		<-order[i].done
	}
	up.Wait()
	x.routing.CloseIdleConnections()
	x.log.Info("stopped")
	return errors.Join(err, x.store.Close())
}

// services are started in this order and stopped in the opposite one.
func (x *Exchange) services() []service {
	list := []service{
		{"errands", x.errands.Run},
		{"notices", x.notices.Run},
		{"webhooks", x.webhooks.Run},
		{"recorder", x.tapes.Run},
		{"media", x.media.Run},
		{"trunk hosts", func(ctx context.Context) error { x.hosts.Run(ctx, x.store.Plan()); return nil }},
		{"queues", x.queues.Run},
		{"housekeeping", x.keepHouse},
		{"speech", x.warm},
		{"registrations", x.keepRegistrations},
		{"coverage", x.keepCoverage},
		{"sip", x.sip.Run},
		{"trunks", func(ctx context.Context) error { x.trunks.Run(ctx, x.store.Plan()); return nil }},
	}
	if x.hep != nil {
		list = append(list, service{"hep", x.exportCapture})
	}
	if !x.opt.NoHTTP {
		list = append(list, service{"api", x.api.Run})
	}
	return list
}

// turnAway answers new calls with 503 from now on.
func (x *Exchange) turnAway() {
	x.draining.Store(true)
	x.sip.Drain(time.Duration(x.cfg.DrainTimeout))
}

// drain waits for the calls that run.
func (x *Exchange) drain() {
	limit := time.NewTimer(time.Duration(x.cfg.DrainTimeout))
	defer limit.Stop()
	select {
	case <-x.calls.Emptied():
	case <-limit.C:
	case <-x.cut:
	}
}

// goodbyes waits a moment for the far ends to confirm that their legs are over.
func (x *Exchange) goodbyes() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 100 {
		if x.sip.Stats().Legs == 0 {
			return
		}
		<-tick.C
	}
}

// keepHouse deletes what is older than it has to be kept, and frees what expired
// registrations hold, every hour, and keeps a copy of the database, every day.
func (x *Exchange) keepHouse(ctx context.Context) error {
	tick := time.NewTicker(x.opt.HouseEvery)
	defer tick.Stop()
	for hour := 0; ; hour++ {
		if hour%24 == 1 { // not at once: a switch that keeps falling over must not push the good copies out
			if path, err := x.store.Backup(); err != nil {
				x.log.Error("copy the database", "err", err)
			} else {
				x.log.Info("database copied", "path", path)
			}
		}
		x.missRecordings(ctx)
		if _, err := x.store.Prune(ctx, x.retention()); err != nil && ctx.Err() == nil {
			x.log.Warn("delete what is too old", "err", err)
		}
		x.sip.Sweep()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
