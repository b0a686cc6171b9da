package store

import (
	"bytes"

	"go.etcd.io/bbolt"
)

// SaveRegistrations keeps what is known of registered phones, by user; nil
// forgets a user. It is what the switch itself reads at its next start, so it is
// nobody else's business how it is written.
func (s *Store) SaveRegistrations(changes map[string][]byte) error {
	return s.saveRaw(bucketRegistrations, changes)
}

// SaveQueueStates keeps what queues must not forget, by their ids, in the same
// manner.
func (s *Store) SaveQueueStates(changes map[string][]byte) error {
	return s.saveRaw(bucketQueueStates, changes)
}

// QueueStates is all that SaveQueueStates has kept.
func (s *Store) QueueStates() (map[string][]byte, error) { return s.raw(bucketQueueStates) }

// Registrations is all that SaveRegistrations has kept.
func (s *Store) Registrations() (map[string][]byte, error) { return s.raw(bucketRegistrations) }

func (s *Store) saveRaw(bucket string, changes map[string][]byte) error {
	if len(changes) == 0 {
		return nil
	}
	return s.batch(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		for key, raw := range changes {
			var err error
			if len(raw) == 0 {
				err = b.Delete([]byte(key))
			} else {
				err = b.Put([]byte(key), raw)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) raw(bucket string) (map[string][]byte, error) {
	out := map[string][]byte{}
	err := s.view(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucket)).ForEach(func(k, v []byte) error {
			out[string(k)] = bytes.Clone(v)
			return nil
		})
	})
	return out, err
}
