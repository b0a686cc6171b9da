package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"b2bua/events"
	"b2bua/flows"
)

// Collection is all resources of one sort. What goes in and comes out are
// copies: changing them changes nothing here.
type Collection[T any] struct {
	s   *Store
	k   *kind[T]
	set atomic.Pointer[set[T]]
}

func newCollection[T any](s *Store, k *kind[T]) *Collection[T] {
	c := &Collection[T]{s: s, k: k}
	c.set.Store(&set[T]{})
	return c
}

// Get is the resource with this id.
func (c *Collection[T]) Get(id string) (*T, error) {
	e := c.set.Load().byID[id]
	if e == nil {
		return nil, c.notFound(id)
	}
	return e.copy()
}

// Len is how many there are.
func (c *Collection[T]) Len() int { return len(c.set.Load().order) }

// FromConfig reports whether the resource comes from the config file, so that
// it cannot be changed here.
func (c *Collection[T]) FromConfig(id string) bool {
	e := c.set.Load().byID[id]
	return e != nil && e.origin == originConfig
}

// List is one page of at most limit resources, oldest first, and the cursor of
// the next page, empty on the last. What is created or deleted meanwhile makes
// no other resource appear twice or not at all.
func (c *Collection[T]) List(cursor string, limit int) (page []*T, next string, err error) {
	from, err := parseCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	entries, more := c.set.Load().page(from, limit)
	page = make([]*T, 0, len(entries))
	for _, e := range entries {
		x, err := e.copy()
		if err != nil {
			return nil, "", err
		}
		page = append(page, x)
	}
	if more {
		next = entries[len(entries)-1].at.cursor()
	}
	return page, next, nil
}

// ETag is the entity tag of this version of the resource. It follows from the
// revision, not from what a reply shows of it.
func (c *Collection[T]) ETag(x *T) string {
	m := c.k.meta(x)
	return etag(*m.revision, *m.created)
}

// Create adds x. It fills in what the client left out (defaults, the id) and
// what is set here (created_at, updated_at, revision), in x too.
func (c *Collection[T]) Create(ctx context.Context, x *T) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	e, err := c.made(x, "")
	if err != nil {
		return fmt.Errorf("create %s: %w", c.k.name, err)
	}
	if err := c.put(ctx, e); err != nil {
		return fmt.Errorf("create %s: %w", c.k.name, err)
	}
	return c.fill(x, e)
}

// fill makes x a copy of what was kept.
func (c *Collection[T]) fill(x *T, e *entry[T]) error {
	kept, err := e.copy()
	if err == nil {
		*x = *kept
	}
	return err
}

// made is a new entry for x, which is filled in and checked. The caller holds
// the store's mutex.
func (c *Collection[T]) made(x *T, origin string) (*entry[T], error) {
	m := c.k.meta(x)
	c.k.defaults(x)
	if c.k.prefix != "" {
		if *m.id == "" {
			*m.id = events.NewID(c.k.prefix)
		}
		if !idPattern.MatchString(*m.id) {
			return nil, invalid(c.k.idField, flows.SlugInvalidRequest, "an id has 1 to 64 of the characters A-Z a-z 0-9 _ -, and %q does not", *m.id)
		}
	}
	if problems := c.k.validate(x); len(problems) > 0 {
		return nil, &Invalid{problems}
	}
	if c.set.Load().byID[*m.id] != nil {
		return nil, invalid(c.k.idField, flows.SlugConflict, "there is already a %s with the id %q; choose another", c.k.name, *m.id)
	}
	last, err := c.lastRevision(*m.id)
	if err != nil {
		return nil, err
	}
	*m.created = c.s.stamp()
	*m.updated = *m.created
	*m.revision = last + 1
	return c.newEntry(x, origin)
}

// Replace puts x in the place of the resource with this id, which keeps its id
// and created_at. x is filled in as by Create.
func (c *Collection[T]) Replace(ctx context.Context, id, ifMatch string, x *T) error {
	now, err := c.Update(ctx, id, ifMatch, func(old *T) error {
		*old = *x
		return nil
	})
	if err != nil {
		return err
	}
	*x = *now
	return nil
}

// Update lets change work on a copy of the resource with this id and keeps what
// it made of it. An error of change is handed back as it is. A change that
// changes nothing makes no revision. change runs while other writers wait, and
// must not write to the store itself.
func (c *Collection[T]) Update(ctx context.Context, id, ifMatch string, change func(*T) error) (*T, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	old, err := c.current(id, ifMatch)
	if err != nil {
		return nil, fmt.Errorf("update %s: %w", c.k.name, err)
	}
	x, err := old.copy()
	if err != nil {
		return nil, err
	}
	if err := change(x); err != nil {
		return nil, err
	}
	e, changed, err := c.changed(old, x, old.origin)
	if err != nil {
		return nil, fmt.Errorf("update %s %s: %w", c.k.name, id, err)
	}
	if changed {
		if err := c.put(ctx, e); err != nil {
			return nil, fmt.Errorf("update %s %s: %w", c.k.name, id, err)
		}
	}
	return e.copy()
}

// changed is the entry that x makes of old, and whether it differs.
func (c *Collection[T]) changed(old *entry[T], x *T, origin string) (*entry[T], bool, error) {
	c.k.defaults(x)
	m, was := c.k.meta(x), c.k.meta(old.value)
	*m.id, *m.created, *m.updated, *m.revision = *was.id, *was.created, *was.updated, *was.revision
	e, err := c.newEntry(x, origin)
	if err != nil {
		return nil, false, err
	}
	if string(e.raw) == string(old.raw) && origin == old.origin {
		return old, false, nil
	}
	if problems := c.k.validate(x); len(problems) > 0 {
		return nil, false, &Invalid{problems}
	}
	*m.updated = events.Moment(c.s.now())
	*m.revision++
	e, err = c.newEntry(x, origin)
	return e, true, err
}

// Delete removes the resource with this id. Revisions that are kept stay.
func (c *Collection[T]) Delete(ctx context.Context, id, ifMatch string) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if _, err := c.current(id, ifMatch); err != nil {
		return fmt.Errorf("delete %s: %w", c.k.name, err)
	}
	var b batch
	c.remove(&b, c.set.Load(), id)
	if err := c.s.commit(ctx, &b); err != nil {
		return fmt.Errorf("delete %s %s: %w", c.k.name, id, err)
	}
	return nil
}

// current is the entry that a client may change: it exists, is the version the
// client means, and is not the config file's.
func (c *Collection[T]) current(id, ifMatch string) (*entry[T], error) {
	e := c.set.Load().byID[id]
	if e == nil {
		return nil, c.notFound(id)
	}
	if e.origin == originConfig {
		return nil, fmt.Errorf("%s %s: %w", c.k.name, id, ErrConfigOwned)
	}
	if !matches(ifMatch, c.ETag(e.value)) {
		return nil, fmt.Errorf("%s %s: %w", c.k.name, id, ErrPrecondition)
	}
	return e, nil
}

func (c *Collection[T]) notFound(id string) error {
	return fmt.Errorf("%s %q: %w", c.k.name, id, ErrNotFound)
}

func (c *Collection[T]) put(ctx context.Context, e *entry[T]) error {
	var b batch
	c.add(&b, c.set.Load(), e)
	return c.s.commit(ctx, &b)
}

// add and remove stage a change of the set in b and give the set it makes.
func (c *Collection[T]) add(b *batch, to *set[T], e *entry[T]) *set[T] {
	next := to.with(e)
	c.stage(b, next)
	b.write(func(tx *bbolt.Tx) error {
		row, err := json.Marshal(row{Origin: e.origin, Value: e.raw})
		if err != nil {
			return err
		}
		if err := tx.Bucket([]byte(c.k.bucket)).Put([]byte(e.at.id), row); err != nil || !c.k.keep {
			return err
		}
		return tx.Bucket([]byte(bucketRevisions)).Put(revisionKey(c.k.bucket, e.at.id, *c.k.meta(e.value).revision), e.raw)
	})
	return next
}

func (c *Collection[T]) remove(b *batch, from *set[T], id string) *set[T] {
	next := from.without(id)
	c.stage(b, next)
	b.write(func(tx *bbolt.Tx) error {
		if c.k.removed != nil {
			if err := c.k.removed(c.s, tx, id); err != nil {
				return err
			}
		}
		return tx.Bucket([]byte(c.k.bucket)).Delete([]byte(id))
	})
	return next
}

func (c *Collection[T]) stage(b *batch, next *set[T]) {
	if c.k.plan != nil {
		b.nouns = append(b.nouns, func(n *flows.Nouns) { c.k.plan(n, next.values()) })
	}
	b.swap = append(b.swap, func() { c.set.Store(next) })
}

// load reads the collection from the file.
func (c *Collection[T]) load(tx *bbolt.Tx) error {
	all := &set[T]{byID: make(map[string]*entry[T])}
	b := tx.Bucket([]byte(c.k.bucket))
	if b == nil {
		return nil // a new file
	}
	err := b.ForEach(func(k, v []byte) error {
		var r row
		if err := json.Unmarshal(v, &r); err != nil {
			return fmt.Errorf("decode %s %s: %w", c.k.name, k, err)
		}
		e, err := c.readEntry(r.Value, r.Origin)
		if err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		all.byID[e.at.id] = e
		all.order = append(all.order, e)
		if e.at.at.After(c.s.created) {
			c.s.created = e.at.at
		}
		return nil
	})
	slices.SortFunc(all.order, func(a, b *entry[T]) int { return a.at.compare(b.at) })
	c.set.Store(all)
	return err
}
