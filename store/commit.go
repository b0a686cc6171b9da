package store

import (
	"context"
	"time"

	"go.etcd.io/bbolt"

	"b2bua/events"
	"b2bua/flows"
)

// batch is a change that is made as a whole or not at all.
type batch struct {
	nouns  []func(*flows.Nouns)    // put the changed sets among the plan's nouns
	writes []func(*bbolt.Tx) error // to the file
	swap   []func()                // make the changed sets visible
}

func (b *batch) write(f func(*bbolt.Tx) error) { b.writes = append(b.writes, f) }

// commit checks the plan the batch makes, writes to the file, and only then
// lets the change be seen. The caller holds the store's mutex.
func (s *Store) commit(ctx context.Context, b *batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var plan *flows.Plan
	if len(b.nouns) > 0 {
		nouns := s.nouns()
		for _, put := range b.nouns {
			put(&nouns)
		}
		var problems flows.Problems
		if plan, problems = s.plan.Load().Next(nouns); len(problems) > 0 {
			return &Invalid{problems}
		}
	}
	err := s.told("write", func(tx *bbolt.Tx) error {
		for _, write := range b.writes {
			if err := write(tx); err != nil {
				return err
			}
		}
		return nil
	}, s.db.Update)
	if err != nil {
		return err
	}
	for _, swap := range b.swap {
		swap()
	}
	if plan != nil {
		s.publish(plan)
	}
	return nil
}

func (s *Store) publish(plan *flows.Plan) {
	s.plan.Store(plan)
	for _, f := range s.onPlan {
		f(plan)
	}
}

// nouns are the plan's nouns as they are now.
func (s *Store) nouns() flows.Nouns {
	return flows.Nouns{
		Flows:     s.flows.set.Load().values(),
		Menus:     s.menus.set.Load().values(),
		Boxes:     s.boxes.set.Load().values(),
		Devices:   s.devices.set.Load().values(),
		Trunks:    s.trunks.set.Load().values(),
		Numbers:   s.numbers.set.Load().values(),
		Calendars: s.calendars.set.Load().values(),
		Queues:    s.queues.set.Load().values(),
		Prompts:   s.prompts.set.Load().values(),
	}
}

// stamp is the created_at of something new: now, but later than every one given
// out, so that something new never appears in front of a cursor already given
// out. When the clock was set back by more than a second the clock wins. The
// caller holds the store's mutex.
func (s *Store) stamp() time.Time {
	now := events.Moment(s.now())
	if ahead := s.created.Sub(now); ahead >= 0 && ahead < time.Second {
		now = s.created.Add(time.Millisecond)
	}
	s.created = now
	return now
}
