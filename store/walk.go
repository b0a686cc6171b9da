package store

import (
	"bytes"

	"go.etcd.io/bbolt"
)

// walk goes along an index, in one direction, between two bounds.
type walk struct {
	cur      *bbolt.Cursor
	prefix   []byte
	low      []byte // the first key that counts
	high     []byte // the first key that no longer does; nil means the end of the prefix
	backward bool
	key      []byte
	begun    bool
}

// walk begins behind from, or at the end the query begins at.
func (r *Records[T]) walk(tx *bbolt.Tx, q Query[T], from position) *walk {
	w := &walk{backward: q.Newest}
	index := r.k.bucket + "_by_time"
	if q.Owner != "" {
		index = r.k.bucket + "_by_owner"
		w.prefix = ownerPrefix(q.Owner)
	}
	w.cur = tx.Bucket([]byte(index)).Cursor()
	w.low = w.prefix
	if !q.Since.IsZero() {
		w.low = w.at(position{at: q.Since})
	}
	if !q.Until.IsZero() {
		w.high = w.at(position{at: q.Until})
	}
	switch {
	case from.zero():
	case w.backward:
		if k := w.at(from); w.high == nil || bytes.Compare(k, w.high) < 0 {
			w.high = k
		}
	default:
		if k := append(w.at(from), 0); bytes.Compare(k, w.low) > 0 {
			w.low = k
		}
	}
	return w
}

func (w *walk) at(p position) []byte { return append(bytes.Clone(w.prefix), p.key()...) }

// next is the next position, and false at the end.
func (w *walk) next() (position, bool) {
	switch {
	case w.begun && w.backward:
		w.key, _ = w.cur.Prev()
	case w.begun:
		w.key, _ = w.cur.Next()
	case w.backward:
		w.key = w.last()
	default:
		w.key, _ = w.cur.Seek(w.low)
	}
	w.begun = true
	if w.key == nil || !bytes.HasPrefix(w.key, w.prefix) ||
		bytes.Compare(w.key, w.low) < 0 || (w.high != nil && bytes.Compare(w.key, w.high) >= 0) {
		return position{}, false
	}
	return parseKey(w.key[len(w.prefix):])
}

// last moves to the last key below high.
func (w *walk) last() []byte {
	high := w.high
	if high == nil {
		if len(w.prefix) == 0 {
			k, _ := w.cur.Last()
			return k
		}
		high = bytes.Clone(w.prefix)
		high[len(high)-1]++ // the prefix ends with a zero byte
	}
	if k, _ := w.cur.Seek(high); k == nil {
		k, _ = w.cur.Last()
		return k
	}
	k, _ := w.cur.Prev()
	return k
}
