package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"go.etcd.io/bbolt"
)

// Retention says how long things are kept; 0 means for ever.
type Retention struct {
	Calls, Recordings, Messages time.Duration
	// Remove takes away an audio file before its row is deleted, so that no
	// file is ever left without one. A file that is not there is fine.
	Remove func(path string) error
}

// Pruned counts what was deleted.
type Pruned struct{ Calls, Recordings, Messages, Replies int }

// pruneStep is how many rows one write deletes, so that others get their turn.
const pruneStep = 200

// Prune deletes what is older than it has to be kept, and replies older than
// ReplyAge. It is to be called now and then.
func (s *Store) Prune(ctx context.Context, r Retention) (Pruned, error) {
	var p Pruned
	var errs [4]error
	p.Calls, errs[0] = prune(ctx, s.calls, r.Calls, nil)
	p.Recordings, errs[1] = s.expireRecordings(ctx, r)
	p.Messages, errs[2] = prune(ctx, s.messages, r.Messages, func(x *Message) error { return r.remove(x.Path) })
	p.Replies, errs[3] = s.pruneReplies()
	if err := errors.Join(errs[:]...); err != nil {
		return p, fmt.Errorf("prune: %w", err)
	}
	return p, nil
}

func (r *Retention) remove(path string) error {
	if path == "" || r.Remove == nil {
		return nil
	}
	if err := r.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func prune[T any](ctx context.Context, r *Records[T], age time.Duration, before func(*T) error) (n int, err error) {
	if age <= 0 {
		return 0, nil
	}
	until := r.s.now().Add(-age)
	for {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		old, err := r.older(until)
		if err != nil || len(old) == 0 {
			return n, err
		}
		for _, x := range old {
			if before == nil {
				continue
			}
			if err := before(x); err != nil {
				return n, err
			}
		}
		err = r.s.batch(func(tx *bbolt.Tx) error {
			for _, x := range old {
				if err := r.eraseAll(tx, x); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		n += len(old)
		r.tell(old...)
	}
}

// older is the first rows made before until.
func (r *Records[T]) older(until time.Time) (old []*T, err error) {
	err = r.s.view(func(tx *bbolt.Tx) error {
		w := r.walk(tx, Query[T]{Until: until}, position{})
		for len(old) < pruneStep {
			at, ok := w.next()
			if !ok {
				return nil
			}
			x, err := r.read(tx, at.id)
			if r.lost(at.id, err) {
				continue
			}
			if err != nil {
				return err
			}
			old = append(old, x)
		}
		return nil
	})
	return old, err
}

// eraseAll erases a row and what hangs on it.
func (r *Records[T]) eraseAll(tx *bbolt.Tx, x *T) error {
	if call, ok := any(x).(*callRow); ok {
		if err := tx.Bucket([]byte(bucketTraces)).Delete([]byte(call.CallID)); err != nil {
			return err
		}
	}
	return r.erase(tx, x)
}

// expireRecordings deletes those whose time is over: their own, or where they have
// none the one of all.
func (s *Store) expireRecordings(ctx context.Context, r Retention) (n int, err error) {
	now := s.now()
	over := Query[Recording]{Where: func(x *Recording) bool {
		switch {
		case x.Head != nil: // it is still going on
			return false
		case x.ExpiresAt != nil:
			return !x.ExpiresAt.After(now)
		}
		return r.Recordings > 0 && x.CreatedAt.Before(now.Add(-r.Recordings))
	}}
	for cursor := ""; ; {
		page, next, err := s.recordings.List(over, cursor, MaxPage)
		if err != nil {
			return n, err
		}
		for _, x := range page {
			if err := r.remove(x.Path); err != nil {
				return n, err
			}
			if _, err := s.recordings.Delete(ctx, x.ID, ""); err != nil && !errors.Is(err, ErrNotFound) {
				return n, err
			}
			n++
		}
		if cursor = next; next == "" {
			return n, nil
		}
	}
}

func (s *Store) pruneReplies() (n int, err error) {
	err = s.batch(func(tx *bbolt.Tx) error {
		n = 0
		b := tx.Bucket([]byte(bucketReplies))
		var old [][]byte
		err := b.ForEach(func(k, raw []byte) error {
			var kept keptReply
			if json.Unmarshal(raw, &kept) != nil || s.now().Sub(kept.At) >= ReplyAge {
				old = append(old, k)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, k := range old {
			if err := b.Delete(k); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}
