package guard

import "net/netip"

type key [16]byte

func keyOf(a netip.Addr) key {
	k := key(a.As16())
	if a.Is6() && !a.Is4In6() {
		clear(k[8:])
	}
	return k
}

// table is a map of bounded size that forgets what was not used for longest. It
// allocates while it grows and never after: an evicted slot is used again.
type table[V any] struct {
	limit       int
	index       map[key]int32
	slots       []slot[V]
	first, last int32 // of the list by use, latest first; -1 when empty
	free        []int32
}

type slot[V any] struct {
	key        key
	prev, next int32
	value      V
}

func newTable[V any](limit int) *table[V] {
	return &table[V]{limit: max(limit, 1), index: map[key]int32{}, first: -1, last: -1}
}

func (t *table[V]) len() int { return len(t.index) }

// peek finds without counting it as use.
func (t *table[V]) peek(k key) (*V, bool) {
	i, ok := t.index[k]
	if !ok {
		return nil, false
	}
	return &t.slots[i].value, true
}

// get finds and counts as use. The pointer is good until the next add or remove.
func (t *table[V]) get(k key) (*V, bool) {
	i, ok := t.index[k]
	if !ok {
		return nil, false
	}
	t.unlink(i)
	t.link(i)
	return &t.slots[i].value, true
}

// add begins a zero value for a key that is not in the table.
func (t *table[V]) add(k key) (v *V, evicted bool) {
	var i int32
	switch {
	case len(t.free) > 0:
		i = t.free[len(t.free)-1]
		t.free = t.free[:len(t.free)-1]
	case len(t.slots) < t.limit:
		t.slots = append(t.slots, slot[V]{})
		i = int32(len(t.slots) - 1)
	default:
		i, evicted = t.last, true
		t.unlink(i)
		delete(t.index, t.slots[i].key)
	}
	t.slots[i] = slot[V]{key: k}
	t.index[k] = i
	t.link(i)
	return &t.slots[i].value, evicted
}

func (t *table[V]) remove(k key) {
	i, ok := t.index[k]
	if !ok {
		return
	}
	t.unlink(i)
	delete(t.index, k)
	t.slots[i] = slot[V]{}
	t.free = append(t.free, i)
}

func (t *table[V]) link(i int32) {
	s := &t.slots[i]
	s.prev, s.next = -1, t.first
	if t.first >= 0 {
		t.slots[t.first].prev = i
	} else {
		t.last = i
	}
	t.first = i
}

func (t *table[V]) unlink(i int32) {
	s := &t.slots[i]
	if s.prev >= 0 {
		t.slots[s.prev].next = s.next
	} else {
		t.first = s.next
	}
	if s.next >= 0 {
		t.slots[s.next].prev = s.prev
	} else {
		t.last = s.prev
	}
}
