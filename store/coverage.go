package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"b2bua/events"
	"b2bua/flows"
)

const bucketCoverage = "coverage"

// Taken is how often calls took a branch of a flow, and when last.
type Taken struct {
	Count int       `json:"count"`
	Last  time.Time `json:"last"`
}

// coverage gathers what calls take until it is written: a call costs an addition
// here, and the file is written now and then.
type coverage struct {
	mu  sync.Mutex
	new map[taking]Taken
}

type taking struct {
	flow   string
	branch flows.Branch
}

// Took counts the branch of a flow that a call takes.
func (s *Store) Took(r flows.Routing, at time.Time) {
	if r.FlowID == "" || r.Branch == (flows.Branch{}) {
		return
	}
	c := &s.coverage
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.new == nil {
		c.new = map[taking]Taken{}
	}
	t := c.new[taking{r.FlowID, r.Branch}]
	t.Count++
	if at.After(t.Last) {
		t.Last = at
	}
	c.new[taking{r.FlowID, r.Branch}] = t
}

// SaveCoverage writes what was counted since the last time. It is to be called
// now and then; Close does it, too.
func (s *Store) SaveCoverage() error {
	c := &s.coverage
	c.mu.Lock()
	counted := c.new
	c.new = nil
	c.mu.Unlock()
	if len(counted) == 0 {
		return nil
	}
	err := s.batch(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(bucketCoverage))
		var errs []error
		for at, t := range counted {
			errs = append(errs, addTaken(b, at, t))
		}
		return errors.Join(errs...)
	})
	if err != nil { // the next time, then
		c.mu.Lock()
		defer c.mu.Unlock()
		for at, t := range c.new {
			counted[at] = counted[at].and(t)
		}
		c.new = counted
	}
	return err
}

func (t Taken) and(o Taken) Taken {
	t.Count += o.Count
	if o.Last.After(t.Last) {
		t.Last = o.Last
	}
	return t
}

func addTaken(b *bbolt.Bucket, at taking, t Taken) error {
	key := append(ownerPrefix(at.flow), at.branch.Key()...)
	var before Taken
	if raw := b.Get(key); raw != nil {
		if err := json.Unmarshal(raw, &before); err != nil {
			return err
		}
	}
	t = t.and(before)
	t.Last = events.Moment(t.Last)
	raw, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return b.Put(key, raw)
}

// Coverage is what calls have taken of a flow, by the key of the branch.
func (s *Store) Coverage(flowID string) (map[string]Taken, error) {
	if err := s.SaveCoverage(); err != nil {
		return nil, err
	}
	all := map[string]Taken{}
	err := s.view(func(tx *bbolt.Tx) error {
		prefix := ownerPrefix(flowID)
		cur := tx.Bucket([]byte(bucketCoverage)).Cursor()
		for k, raw := cur.Seek(prefix); bytes.HasPrefix(k, prefix); k, raw = cur.Next() {
			var t Taken
			if err := json.Unmarshal(raw, &t); err != nil {
				return err
			}
			all[string(k[len(prefix):])] = t
		}
		return nil
	})
	return all, err
}

// forgetCoverage takes away what was counted for a flow that is deleted.
func forgetCoverage(s *Store, tx *bbolt.Tx, flowID string) error {
	c := &s.coverage
	c.mu.Lock()
	for at := range c.new {
		if at.flow == flowID {
			delete(c.new, at)
		}
	}
	c.mu.Unlock()
	prefix := ownerPrefix(flowID)
	cur := tx.Bucket([]byte(bucketCoverage)).Cursor()
	for k, _ := cur.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = cur.Seek(prefix) {
		if err := cur.Delete(); err != nil {
			return err
		}
	}
	return nil
}
