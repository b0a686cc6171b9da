package store

import (
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"b2bua/events"
)

const bucketUntold = "untold"

// An event that must not be lost is kept with the change that it tells of, until
// everybody has been told. What is left over is told again by the next process,
// under the same id.

func putUntold(tx *bbolt.Tx, e events.Event) error {
	raw, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	return tx.Bucket([]byte(bucketUntold)).Put([]byte(e.ID), raw)
}

// Untold are the events that may not have been told to everybody.
func (s *Store) Untold() (all []events.Event, err error) {
	err = s.view(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketUntold)).ForEach(func(id, raw []byte) error {
			var e events.Event
			if err := json.Unmarshal(raw, &e); err != nil {
				s.log.Error("event that was not told cannot be read", "event", string(id), "err", err)
				return nil
			}
			all = append(all, e)
			return nil
		})
	})
	return all, err
}

// Told forgets an event that everybody has been told of.
func (s *Store) Told(id string) error {
	return s.batch(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketUntold)).Delete([]byte(id))
	})
}
