package store

import (
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"b2bua/flows"
)

const bucketPINs = "pins"

// After so many wrong PINs in a row a box takes none for a while, ever longer.
const (
	freePINs   = 5
	firstLock  = 5 * time.Minute
	longestPIN = 4 * time.Hour
	forgetPINs = 24 * time.Hour // wrong ones so long ago count no more
)

// pinTries are the wrong PINs of a box.
type pinTries struct {
	Kept  string    `json:"kept"`  // the PIN that was missed, hashed: another one begins anew
	Wrong int       `json:"wrong"` // in a row
	Last  time.Time `json:"last"`
	Until time.Time `json:"until,omitzero"` // no PIN is right before
}

// TryPIN reports whether pin opens a box, and counts wrong ones over all calls.
// While the box is locked no PIN is right; nobody is told so. key is who tries:
// a device that has proved whose it is has a count of its own, so that others
// cannot lock its owner out. It takes as long when there is no box (nil).
func (s *Store) TryPIN(box *flows.VoicemailBox, key, pin string) (ok bool, err error) {
	matches := box.PINMatches(pin)
	if box == nil {
		return false, nil
	}
	now := s.now()
	// The try is charged before it is known to be right, in one transaction:
	// calls that try at the same moment do not get more tries.
	err = s.batch(func(tx *bbolt.Tx) error {
		ok = false
		b := tx.Bucket([]byte(bucketPINs))
		var t pinTries
		if raw := b.Get([]byte(key)); raw != nil {
			if err := json.Unmarshal(raw, &t); err != nil {
				t = pinTries{} // damaged: nobody is locked out for that
			}
		}
		if t.Kept != box.PIN || now.Sub(t.Last) > forgetPINs {
			t = pinTries{Kept: box.PIN}
		}
		if now.Before(t.Until) {
			return nil
		}
		if matches {
			ok = true
			return b.Delete([]byte(key))
		}
		t.Wrong, t.Last = t.Wrong+1, now
		if over := t.Wrong - freePINs; over >= 0 {
			t.Until = now.Add(min(firstLock<<min(over, 8), longestPIN))
		}
		raw, err := json.Marshal(t)
		if err != nil {
			return err
		}
		return b.Put([]byte(key), raw)
	})
	if err != nil {
		return false, fmt.Errorf("count the PINs of voicemail box %s: %w", box.ID, err)
	}
	return ok, nil
}

// PINLocked is until when strangers cannot open a box; zero when they can.
func (s *Store) PINLocked(box *flows.VoicemailBox) (until time.Time) {
	_ = s.view(func(tx *bbolt.Tx) error {
		var t pinTries
		if raw := tx.Bucket([]byte(bucketPINs)).Get([]byte(box.ID)); raw != nil && json.Unmarshal(raw, &t) == nil &&
			t.Kept == box.PIN && s.now().Before(t.Until) {
			until = t.Until
		}
		return nil
	})
	return until
}
