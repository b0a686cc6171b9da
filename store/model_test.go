package store_test

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"b2bua/flows"
	"b2bua/store"
)

// TestCollectionAgainstMap does the same random changes to a collection and to
// a map, with a restart now and then, and compares.
func TestCollectionAgainstMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		s, err := store.Open(dir, store.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { s.Close() }()
		want := map[string]*flows.CallFlow{}
		ids := rapid.SampledFrom([]string{"cf_a", "cf_b", "cf_c", "cf_d", "cf_e"})
		numbers := rapid.SampledFrom([]string{"", number(1), number(2)})
		taken := func(id, n string) bool {
			for other, f := range want {
				if other != id && n != "" && f.PhoneNumber == n {
					return true
				}
			}
			return false
		}
		expect := func(err error, good bool) bool {
			if (err == nil) != good {
				rt.Fatalf("expected success %v, got %v", good, err)
			}
			return good
		}
		put := func(rt *rapid.T, id string, good bool, do func(*flows.CallFlow) error) {
			f := flow(rapid.StringMatching(`[a-z]{1,8}`).Draw(rt, "name"), numbers.Draw(rt, "number"))
			f.ID = id
			if expect(do(f), good && !taken(id, f.PhoneNumber)) {
				want[id] = f
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"create": func(rt *rapid.T) {
				id := ids.Draw(rt, "id")
				put(rt, id, want[id] == nil, func(f *flows.CallFlow) error { return s.Flows().Create(ctx, f) })
			},
			"replace": func(rt *rapid.T) {
				id := ids.Draw(rt, "id")
				put(rt, id, want[id] != nil, func(f *flows.CallFlow) error { return s.Flows().Replace(ctx, id, "", f) })
			},
			"update with an old tag": func(rt *rapid.T) {
				id := ids.Draw(rt, "id")
				if f := want[id]; f != nil {
					stale := *f
					stale.Revision--
					_, err := s.Flows().Update(ctx, id, s.Flows().ETag(&stale), func(*flows.CallFlow) error { return nil })
					expect(err, false)
				}
			},
			"delete": func(rt *rapid.T) {
				id := ids.Draw(rt, "id")
				if expect(s.Flows().Delete(ctx, id, ""), want[id] != nil) {
					delete(want, id)
				}
			},
			"reopen": func(rt *rapid.T) {
				if err := s.Close(); err != nil {
					rt.Fatal(err)
				}
				if s, err = store.Open(dir, store.Options{}); err != nil {
					rt.Fatal(err)
				}
			},
			"": func(rt *rapid.T) { compare(rt, s, want) },
		})
	})
}

func compare(t *rapid.T, s *store.Store, want map[string]*flows.CallFlow) {
	var all []*flows.CallFlow
	for _, f := range want {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *flows.CallFlow) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	var got []*flows.CallFlow
	for cursor, more := "", true; more; more = cursor != "" {
		page, next, err := s.Flows().List(cursor, 2)
		if err != nil {
			t.Fatal(err)
		}
		got, cursor = append(got, page...), next
	}
	if len(got) != len(all) || len(all) > 0 && !reflect.DeepEqual(got, all) {
		t.Fatalf("listed %+v\n instead of %+v", got, all)
	}
	for _, f := range all {
		if f.PhoneNumber != "" {
			if planned, _ := s.Plan().Lookup(f.PhoneNumber); planned == nil || planned.ID != f.ID {
				t.Fatalf("%s leads to %+v", f.PhoneNumber, planned)
			}
		}
	}
}

// TestPagesStayPut creates and deletes between two pages: what was there all
// the time comes exactly once.
func TestPagesStayPut(t *testing.T) {
	s := fresh(t)
	var stay, go1 []string
	for i := range 30 {
		f := flow(fmt.Sprint(i), "")
		ok(t, s.Flows().Create(ctx, f))
		if i%3 == 0 {
			go1 = append(go1, f.ID)
		} else {
			stay = append(stay, f.ID)
		}
	}
	var seen []string
	for cursor, more := "", true; more; more = cursor != "" {
		page, next, err := s.Flows().List(cursor, 4)
		ok(t, err)
		for _, f := range page {
			seen = append(seen, f.ID)
		}
		if len(go1) > 0 {
			ok(t, s.Flows().Delete(ctx, go1[0], ""))
			go1 = go1[1:]
			if len(seen) < 20 {
				late := flow("late", "")
				ok(t, s.Flows().Create(ctx, late))
				stay = append(stay, late.ID)
			}
		}
		cursor = next
	}
	for _, id := range stay {
		n := 0
		for _, x := range seen {
			if x == id {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s was listed %d times", id, n)
		}
	}
}

// TestConcurrentWriters has many write at once: every plan is whole, and every
// acknowledged change is there at the end.
func TestConcurrentWriters(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	counter := &flows.IVRMenu{ID: "counter", Name: "x", Prompt: "x", MaxAttempts: 1}
	ok(t, s.Menus().Create(ctx, counter))
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 25 {
				f := flow("x", number(w*25+i))
				if err := s.Flows().Create(ctx, f); err != nil {
					t.Error(err)
					return
				}
				if planned, _ := s.Plan().Lookup(f.PhoneNumber); planned == nil || planned.ID != f.ID {
					t.Errorf("%s is not planned", f.ID)
				}
				_, err := s.Menus().Update(ctx, "counter", "", func(m *flows.IVRMenu) error {
					m.Name += "x"
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				if _, _, err := s.Flows().List("", 100); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	ok(t, s.Close())
	s = open(t, dir, store.Options{})
	m, err := s.Menus().Get("counter")
	ok(t, err)
	if s.Flows().Len() != 100 || len(m.Name) != 101 || m.Revision != 101 {
		t.Errorf("%d flows and %d changes", s.Flows().Len(), m.Revision-1)
	}
}
