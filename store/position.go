package store

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"time"

	"b2bua/flows"
)

// The sizes of pages.
const (
	DefaultPage = 20
	MaxPage     = 100
)

func pageSize(limit int) int {
	if limit <= 0 {
		return DefaultPage
	}
	return min(limit, MaxPage)
}

// position is where a resource stands in a list: created_at, then id.
type position struct {
	at time.Time
	id string
}

func (p position) zero() bool { return p.id == "" }

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.at.UnixMilli(), q.at.UnixMilli()), cmp.Compare(p.id, q.id))
}

// key is a byte string that sorts as positions do: milliseconds since 1970 with
// the sign bit turned, then the id.
func (p position) key() []byte {
	k := make([]byte, 8, 8+len(p.id))
	binary.BigEndian.PutUint64(k, uint64(p.at.UnixMilli())^1<<63)
	return append(k, p.id...)
}

func parseKey(k []byte) (position, bool) {
	if len(k) <= 8 {
		return position{}, false
	}
	ms := int64(binary.BigEndian.Uint64(k) ^ 1<<63)
	return position{at: time.UnixMilli(ms).UTC(), id: string(k[8:])}, true
}

func (p position) cursor() string { return base64.RawURLEncoding.EncodeToString(p.key()) }

// parseCursor reads what cursor wrote; the empty cursor is the beginning.
func parseCursor(s string) (position, error) {
	if s == "" {
		return position{}, nil
	}
	k, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		if p, ok := parseKey(k); ok && bytes.Equal(p.key(), k) {
			return p, nil
		}
	}
	return position{}, invalid("cursor", flows.SlugInvalidRequest, "%q is not a cursor that a list gave out; leave it away to begin at the start", s)
}
