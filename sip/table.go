package sip

import "sync"

// table is a map that any goroutine may use.
type table[K comparable, V any] struct {
	mu sync.RWMutex
	m  map[K]V
}

func newTable[K comparable, V any]() *table[K, V] { return &table[K, V]{m: map[K]V{}} }

func (t *table[K, V]) add(k K, v V) {
	t.mu.Lock()
	t.m[k] = v
	t.mu.Unlock()
}

// begin adds what make gives unless there is something, which it then returns.
func (t *table[K, V]) begin(k K, fresh func() V) (v V, begun bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v, ok := t.m[k]; ok {
		return v, false
	}
	v = fresh()
	t.m[k] = v
	return v, true
}

func (t *table[K, V]) get(k K) (V, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	v, ok := t.m[k]
	return v, ok
}

func (t *table[K, V]) remove(k K) {
	t.mu.Lock()
	delete(t.m, k)
	t.mu.Unlock()
}

func (t *table[K, V]) len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.m)
}

// all is a copy, to be walked without holding the table.
func (t *table[K, V]) all() []V {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := make([]V, 0, len(t.m))
	for _, v := range t.m {
		out = append(out, v)
	}
	return out
}
