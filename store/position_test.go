package store

import (
	"bytes"
	"cmp"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestKeysSortAsPositions compares the order of keys with that of positions,
// before and after 1970.
func TestKeysSortAsPositions(t *testing.T) {
	draw := rapid.Custom(func(t *rapid.T) position {
		return position{at: time.UnixMilli(rapid.Int64Range(-1<<50, 1<<50).Draw(t, "ms")).UTC(), id: rapid.StringMatching(`[a-z]{1,3}`).Draw(t, "id")}
	})
	rapid.Check(t, func(t *rapid.T) {
		p, q := draw.Draw(t, "p"), draw.Draw(t, "q")
		if bytes.Compare(p.key(), q.key()) != cmp.Compare(p.compare(q), 0) {
			t.Errorf("%v and %v", p, q)
		}
		if back, ok := parseKey(p.key()); !ok || back != p {
			t.Errorf("%v became %v", p, back)
		}
		if back, err := parseCursor(p.cursor()); err != nil || back != p {
			t.Errorf("%v became %v, %v", p, back, err)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("!")
	f.Add("AAAAAAAAAAA")
	f.Add(position{at: time.UnixMilli(1705314600000), id: "cf_a"}.cursor())
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseCursor(s)
		if err != nil || s == "" {
			return
		}
		if again, err := parseCursor(p.cursor()); err != nil || again != p {
			t.Errorf("%q: %v became %v, %v", s, p, again, err)
		}
	})
}
