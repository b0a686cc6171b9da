package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sort"
)

// originConfig marks what comes from the config file.
const originConfig = "config"

// row is a resource in the file.
type row struct {
	Origin string          `json:"origin,omitempty"`
	Value  json.RawMessage `json:"value"`
}

// entry is a resource in memory: as the plan uses it, never changed, and as
// JSON, to make copies from.
type entry[T any] struct {
	at     position
	value  *T
	raw    []byte
	origin string
}

// newEntry makes an entry of a copy of x.
func (c *Collection[T]) newEntry(x *T, origin string) (*entry[T], error) {
	raw, err := json.Marshal(x)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", c.k.name, err)
	}
	return c.readEntry(raw, origin)
}

func (c *Collection[T]) readEntry(raw []byte, origin string) (*entry[T], error) {
	e := &entry[T]{raw: raw, origin: origin, value: new(T)}
	if err := json.Unmarshal(raw, e.value); err != nil {
		return nil, fmt.Errorf("decode %s: %w", c.k.name, err)
	}
	m := c.k.meta(e.value)
	e.at = position{at: *m.created, id: *m.id}
	return e, nil
}

func (e *entry[T]) copy() (*T, error) {
	x := new(T)
	if err := json.Unmarshal(e.raw, x); err != nil {
		return nil, fmt.Errorf("decode %s: %w", e.at.id, err)
	}
	return x, nil
}

// set is all entries of a collection at one moment. It never changes.
type set[T any] struct {
	byID  map[string]*entry[T]
	order []*entry[T] // by created_at, id
}

func (s *set[T]) with(e *entry[T]) *set[T] {
	next := &set[T]{byID: maps.Clone(s.byID), order: slices.Clone(s.order)}
	if next.byID == nil {
		next.byID = make(map[string]*entry[T])
	}
	i, found := next.find(e.at)
	if found {
		next.order[i] = e
	} else {
		next.order = slices.Insert(next.order, i, e)
	}
	next.byID[e.at.id] = e
	return next
}

func (s *set[T]) without(id string) *set[T] {
	e := s.byID[id]
	if e == nil {
		return s
	}
	next := &set[T]{byID: maps.Clone(s.byID), order: slices.Clone(s.order)}
	i, _ := next.find(e.at)
	next.order = slices.Delete(next.order, i, i+1)
	delete(next.byID, id)
	return next
}

func (s *set[T]) find(at position) (int, bool) {
	return sort.Find(len(s.order), func(i int) int { return at.compare(s.order[i].at) })
}

// page is the entries behind from, at most limit of them.
func (s *set[T]) page(from position, limit int) (entries []*entry[T], more bool) {
	i := 0
	if !from.zero() {
		i = sort.Search(len(s.order), func(i int) bool { return s.order[i].at.compare(from) > 0 })
	}
	rest := s.order[i:]
	limit = pageSize(limit)
	if len(rest) > limit {
		return rest[:limit], true
	}
	return rest, false
}

func (s *set[T]) values() []*T {
	all := make([]*T, len(s.order))
	for i, e := range s.order {
		all[i] = e.value
	}
	return all
}
