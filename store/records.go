package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"b2bua/events"
)

// maxScan is how many rows one page may look at when it searches. A page may
// so be shorter than asked for and still have a successor.
const maxScan = 10_000

// Records are rows that can be many: they stay in the file, with an index by
// time and one by owner (the call of a recording, the box of a message, the
// webhook of a delivery).
type Records[T any] struct {
	s       *Store
	k       *recordKind[T]
	changed func(owner string) // told after each write; nil without a listener
}

// OnChange has f called after every write of a record, with its owner. It is set
// before the store is used by several goroutines; f must be quick.
func (r *Records[T]) OnChange(f func(owner string)) { r.changed = f }

func (r *Records[T]) tell(xs ...*T) {
	if r.changed == nil {
		return
	}
	for _, x := range xs {
		if x != nil {
			r.changed(r.k.owner(x))
		}
	}
}

type recordKind[T any] struct {
	bucket string
	name   string // in messages
	prefix string // of the ids made here
	meta   func(*T) meta
	owner  func(*T) string
}

func (k *recordKind[T]) buckets() []string {
	return []string{k.bucket, k.bucket + "_by_time", k.bucket + "_by_owner"}
}

func (k *recordKind[T]) position(x *T) position {
	m := k.meta(x)
	return position{at: *m.created, id: *m.id}
}

func ownerPrefix(owner string) []byte { return []byte(owner + "\x00") }

func ownerKey(owner string, at position) []byte { return append(ownerPrefix(owner), at.key()...) }

// Get is the record with this id.
func (r *Records[T]) Get(id string) (*T, error) {
	var x *T
	err := r.s.view(func(tx *bbolt.Tx) (err error) {
		x, err = r.read(tx, id)
		return err
	})
	return x, err
}

// Save keeps x, new or in the place of the record with its id. A missing id or
// created_at is filled in, in x too; updated_at and revision are set here.
func (r *Records[T]) Save(ctx context.Context, x *T) error {
	return r.save(ctx, x, func(*bbolt.Tx) error { return nil })
}

// save keeps x together with what also writes.
func (r *Records[T]) save(ctx context.Context, x *T, also func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m := r.k.meta(x)
	if *m.id == "" {
		*m.id = events.NewID(r.k.prefix)
	}
	now := r.s.now()
	if m.created.IsZero() {
		*m.created = now
	}
	*m.created, *m.updated = events.Moment(*m.created), events.Moment(now)
	err := r.s.batch(func(tx *bbolt.Tx) error {
		old, err := r.find(tx, *m.id)
		if err != nil {
			return err
		}
		*m.revision = 1
		if old != nil {
			*m.revision = *r.k.meta(old).revision + 1
		}
		if err := r.write(tx, old, x); err != nil {
			return err
		}
		return also(tx)
	})
	if err == nil {
		r.tell(x)
	}
	return err
}

// Update lets change work on the record with this id and keeps what it made of
// it. change may run more than once.
func (r *Records[T]) Update(ctx context.Context, id, ifMatch string, change func(*T) error) (*T, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var x, was *T
	err := r.s.batch(func(tx *bbolt.Tx) error {
		old, err := r.current(tx, id, ifMatch)
		if err != nil {
			return err
		}
		if x, err = r.read(tx, id); err != nil {
			return err
		}
		if err := change(x); err != nil {
			return err
		}
		was = old
		m, before := r.k.meta(x), r.k.meta(old)
		*m.id, *m.created = *before.id, *before.created
		*m.updated, *m.revision = events.Moment(r.s.now()), *before.revision+1
		return r.write(tx, old, x)
	})
	if err != nil {
		return nil, err
	}
	if r.tell(x); r.k.owner(was) != r.k.owner(x) {
		r.tell(was)
	}
	return x, nil
}

// Delete removes the record with this id and gives what it was.
func (r *Records[T]) Delete(ctx context.Context, id, ifMatch string) (*T, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var x *T
	err := r.s.batch(func(tx *bbolt.Tx) (err error) {
		if x, err = r.current(tx, id, ifMatch); err != nil {
			return err
		}
		return r.erase(tx, x)
	})
	if err == nil {
		r.tell(x)
	}
	return x, err
}

// ETag is the entity tag of this version of the record.
func (r *Records[T]) ETag(x *T) string {
	m := r.k.meta(x)
	return etag(*m.revision, *m.created)
}

// Count is how many records an owner has.
func (r *Records[T]) Count(owner string) (n int, err error) {
	err = r.s.view(func(tx *bbolt.Tx) error {
		n = r.count(tx, owner)
		return nil
	})
	return n, err
}

func (r *Records[T]) count(tx *bbolt.Tx, owner string) (n int) {
	prefix := ownerPrefix(owner)
	cur := tx.Bucket([]byte(r.k.bucket + "_by_owner")).Cursor()
	for k, _ := cur.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = cur.Next() {
		n++
	}
	return n
}

// Query says which records a page shows.
type Query[T any] struct {
	Owner        string // "" means all
	Newest       bool   // the newest first instead of the oldest
	Since, Until time.Time
	Where        func(*T) bool // nil means all
}

// List is one page of records by created_at and id, and the cursor of the next
// page, empty on the last.
func (r *Records[T]) List(q Query[T], cursor string, limit int) (page []*T, next string, err error) {
	from, err := parseCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	limit = pageSize(limit)
	page = make([]*T, 0, limit)
	err = r.s.view(func(tx *bbolt.Tx) error {
		w := r.walk(tx, q, from)
		var last position
		for seen := 0; ; seen++ {
			at, ok := w.next()
			if !ok {
				return nil
			}
			if len(page) == limit || seen == maxScan {
				next = last.cursor()
				return nil
			}
			last = at
			x, err := r.read(tx, at.id)
			if r.lost(at.id, err) {
				continue
			}
			if err != nil {
				return err
			}
			if q.Where == nil || q.Where(x) {
				page = append(page, x)
			}
		}
	})
	return page, next, err
}

// errDamagedRow says that a row cannot be decoded.
var errDamagedRow = errors.New("the row is damaged")

// lost reports whether a row of a list is one that cannot be read, alone: the
// others are still worth showing.
func (r *Records[T]) lost(id string, err error) bool {
	if errors.Is(err, errDamagedRow) || errors.Is(err, ErrNotFound) {
		r.s.log.Error("record left out of a list", "kind", r.k.name, "id", id, "err", err)
		return true
	}
	return false
}

func (r *Records[T]) read(tx *bbolt.Tx, id string) (*T, error) {
	x, err := r.find(tx, id)
	if err == nil && x == nil {
		err = fmt.Errorf("%s %q: %w", r.k.name, id, ErrNotFound)
	}
	return x, err
}

func (r *Records[T]) find(tx *bbolt.Tx, id string) (*T, error) {
	raw := tx.Bucket([]byte(r.k.bucket)).Get([]byte(id))
	if raw == nil {
		return nil, nil
	}
	x := new(T)
	if err := json.Unmarshal(raw, x); err != nil {
		return nil, fmt.Errorf("decode %s %s: %w: %w", r.k.name, id, errDamagedRow, err)
	}
	return x, nil
}

func (r *Records[T]) current(tx *bbolt.Tx, id, ifMatch string) (*T, error) {
	x, err := r.read(tx, id)
	if err == nil && !matches(ifMatch, r.ETag(x)) {
		err = fmt.Errorf("%s %s: %w", r.k.name, id, ErrPrecondition)
	}
	return x, err
}

func (r *Records[T]) write(tx *bbolt.Tx, old, x *T) error {
	if old != nil {
		if err := r.erase(tx, old); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("encode %s: %w", r.k.name, err)
	}
	at := r.k.position(x)
	if err := tx.Bucket([]byte(r.k.bucket)).Put([]byte(at.id), raw); err != nil {
		return err
	}
	if err := tx.Bucket([]byte(r.k.bucket+"_by_time")).Put(at.key(), nil); err != nil {
		return err
	}
	owner := r.k.owner(x)
	if owner == "" {
		return nil
	}
	return tx.Bucket([]byte(r.k.bucket+"_by_owner")).Put(ownerKey(owner, at), nil)
}

func (r *Records[T]) erase(tx *bbolt.Tx, x *T) error {
	at := r.k.position(x)
	if err := tx.Bucket([]byte(r.k.bucket)).Delete([]byte(at.id)); err != nil {
		return err
	}
	if err := tx.Bucket([]byte(r.k.bucket + "_by_time")).Delete(at.key()); err != nil {
		return err
	}
	return tx.Bucket([]byte(r.k.bucket + "_by_owner")).Delete(ownerKey(r.k.owner(x), at))
}
