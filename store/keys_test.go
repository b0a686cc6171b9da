package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"b2bua/store"
)

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	secret, key, err := s.CreateKey(ctx, "dashboard", store.ScopeRead)
	ok(t, err)
	found, good := s.FindKey(secret)
	if !good || found.ID != key.ID || found.Name != "dashboard" || strings.Contains(secret, found.Hash) || len(secret) < 30 {
		t.Errorf("found %+v", found)
	}
	for _, wrong := range []string{"", secret[1:], secret + "x", key.Hash, key.ID} {
		if _, good := s.FindKey(wrong); good {
			t.Errorf("%q opens", wrong)
		}
	}
	file, err := os.ReadFile(filepath.Join(dir, store.FileName))
	ok(t, err)
	if strings.Contains(string(file), secret) {
		t.Error("the key is in the file")
	}
	ok(t, s.RevokeKey(ctx, key.ID))
	if _, good := s.FindKey(secret); good {
		t.Error("a revoked key opens")
	}
	wants(t, s.RevokeKey(ctx, "key_none"), store.ErrNotFound)
	var bad *store.Invalid
	if _, _, err := s.CreateKey(ctx, "", "root"); !errors.As(err, &bad) || len(bad.Problems) != 2 {
		t.Errorf("a key without name and with a strange scope: %v", err)
	}
}

func TestScopes(t *testing.T) {
	for _, c := range []struct {
		has, needs store.Scope
		want       bool
	}{
		{store.ScopeRead, store.ScopeRead, true},
		{store.ScopeRead, store.ScopeWrite, false},
		{store.ScopeWrite, store.ScopeRead, true},
		{store.ScopeWrite, store.ScopeAdmin, false},
		{store.ScopeAdmin, store.ScopeAdmin, true},
		{"", "", false},
		{"root", store.ScopeRead, false},
		{store.ScopeAdmin, "root", false},
	} {
		if got := c.has.Allows(c.needs); got != c.want {
			t.Errorf("%q allows %q: %v", c.has, c.needs, got)
		}
	}
}

func TestEnsureAdminKey(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	made, err := s.EnsureAdminKey("")
	ok(t, err)
	if key, good := s.FindKey(made); !good || key.Scope != store.ScopeAdmin {
		t.Errorf("made %q", made)
	}
	ok(t, s.Close())
	s = open(t, dir, store.Options{})
	if again, err := s.EnsureAdminKey(""); err != nil || again != "" {
		t.Errorf("the second start made %q, %v", again, err)
	}
	const first, second = "configured-secret-1", "configured-secret-2"
	for _, configured := range []string{first, first, second} {
		if made, err := s.EnsureAdminKey(configured); err != nil || made != "" {
			t.Errorf("configured: %q, %v", made, err)
		}
	}
	_, oldWorks := s.FindKey(first)
	key, newWorks := s.FindKey(second)
	if oldWorks || !newWorks || key.Scope != store.ScopeAdmin || s.Keys().Len() != 2 {
		t.Errorf("the first works %v, the second %v", oldWorks, newWorks)
	}
	wants(t, s.RevokeKey(ctx, key.ID), store.ErrConfigOwned)
	if _, err := s.EnsureAdminKey("short"); err == nil {
		t.Error("a short key was taken")
	}
	if _, err := s.EnsureAdminKey(""); err != nil {
		t.Error(err)
	}
	if _, works := s.FindKey(second); works {
		t.Error("a key taken out of the config works")
	}
}

func TestReplies(t *testing.T) {
	c := &clock{moment}
	s := open(t, t.TempDir(), store.Options{Now: c.Now})
	claim, reply, err := s.ClaimReply("k1", []byte("POST /a"))
	if err != nil || reply != nil || claim == nil {
		t.Fatalf("first: %v %v", reply, err)
	}
	_, _, err = s.ClaimReply("k1", []byte("POST /a"))
	wants(t, err, store.ErrBusy)
	_, _, err = s.ClaimReply("k1", []byte("POST /b"))
	wants(t, err, store.ErrConflict)
	ok(t, claim.Keep(ctx, store.Reply{Status: 201, Header: map[string][]string{"Location": {"/x"}}, Body: []byte("{}")}))
	claim.Release()
	_, reply, err = s.ClaimReply("k1", []byte("POST /a"))
	if err != nil || reply == nil || reply.Status != 201 || string(reply.Body) != "{}" || reply.Header["Location"][0] != "/x" {
		t.Errorf("again: %+v %v", reply, err)
	}
	_, _, err = s.ClaimReply("k1", []byte("POST /b"))
	wants(t, err, store.ErrConflict)
	failed, _, err := s.ClaimReply(strings.Repeat("k", 100_000), nil)
	ok(t, err)
	failed.Release()
	if claim, reply, err := s.ClaimReply(strings.Repeat("k", 100_000), nil); claim == nil || reply != nil || err != nil {
		t.Errorf("after a release: %v %v", reply, err)
	}
	c.pass(store.ReplyAge)
	if claim, reply, err := s.ClaimReply("k1", []byte("POST /b")); claim == nil || reply != nil || err != nil {
		t.Errorf("a day later: %v %v", reply, err)
	}
}

// TestOneClaim has many ask at once with one key: one works, and the others are
// told.
func TestOneClaim(t *testing.T) {
	s := fresh(t)
	var mu sync.Mutex
	var all sync.WaitGroup
	claims, kept := 0, 0
	for range 20 {
		all.Go(func() {
			for {
				claim, reply, err := s.ClaimReply("k", []byte("x"))
				mu.Lock()
				switch {
				case claim != nil:
					claims++
					mu.Unlock()
					if err := claim.Keep(ctx, store.Reply{Status: 201}); err != nil {
						t.Error(err)
					}
					return
				case reply != nil:
					kept++
					mu.Unlock()
					return
				}
				mu.Unlock()
				if !errors.Is(err, store.ErrBusy) {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if claims != 1 || kept != 19 {
		t.Errorf("%d claims, %d replies", claims, kept)
	}
}

func TestStampsStayInOrder(t *testing.T) {
	c := &clock{moment}
	s := open(t, t.TempDir(), store.Options{Now: c.Now})
	a, b := flow("a", ""), flow("b", "")
	ok(t, s.Flows().Create(ctx, a))
	ok(t, s.Flows().Create(ctx, b))
	if !b.CreatedAt.After(a.CreatedAt) {
		t.Errorf("%s and %s", a.CreatedAt, b.CreatedAt)
	}
	c.pass(-time.Hour)
	back := flow("c", "")
	ok(t, s.Flows().Create(ctx, back))
	if !back.CreatedAt.Equal(c.now) {
		t.Errorf("after the clock was set back: %s", back.CreatedAt)
	}
}
