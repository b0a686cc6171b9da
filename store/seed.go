package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"b2bua/flows"
)

// Seeded says what a seed changed, by id.
type Seeded struct{ Added, Changed, Removed []string }

// Seed brings the resources that come from the config file to what it says now:
// trunks, devices and phone numbers of n are added or refreshed, and marked;
// marked ones that n no longer has are removed. All of it happens, or nothing.
//
// An entry without an id gets one from its name, so that it keeps it from start
// to start. A resource made through the API with the same id or number is a
// conflict: nothing made by hand is ever overwritten.
func (s *Store) Seed(ctx context.Context, n flows.Nouns) (Seeded, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var done Seeded
	var b batch
	for _, t := range n.Trunks {
		if t.ID == "" {
			t.ID = trunkKind.prefix + slug(t.Name)
		}
	}
	for _, d := range n.Devices {
		if d.ID == "" {
			d.ID = deviceKind.prefix + slug(d.Username)
		}
	}
	var problems flows.Problems
	for _, step := range []func() (flows.Problems, error){
		func() (flows.Problems, error) { return seed(&b, &done, s.trunks, "trunks", n.Trunks) },
		func() (flows.Problems, error) { return seed(&b, &done, s.devices, "devices", n.Devices) },
		func() (flows.Problems, error) { return seed(&b, &done, s.numbers, "phone_numbers", n.Numbers) },
	} {
		found, err := step()
		if err != nil {
			return Seeded{}, fmt.Errorf("take over the config file: %w", err)
		}
		problems = append(problems, found...)
	}
	if len(problems) > 0 {
		return Seeded{}, fmt.Errorf("take over the config file: %w", &Invalid{problems})
	}
	if len(b.swap) == 0 {
		return done, nil
	}
	if err := s.commit(ctx, &b); err != nil {
		return Seeded{}, fmt.Errorf("take over the config file: %w", err)
	}
	return done, nil
}

// seed stages what brings the marked entries of c to list.
func seed[T any](b *batch, done *Seeded, c *Collection[T], path string, list []*T) (flows.Problems, error) {
	var problems flows.Problems
	listed := make(map[string]bool)
	next := c.set.Load()
	for i, x := range list {
		id := *c.k.meta(x).id
		at := fmt.Sprintf("%s[%d]", path, i)
		old := next.byID[id]
		switch {
		case listed[id]:
			problems = append(problems, flows.Problem{Path: at, Slug: flows.SlugConflict, Message: fmt.Sprintf("the %s %q is listed twice", c.k.name, id)})
			continue
		case old != nil && old.origin != originConfig:
			problems = append(problems, flows.Problem{Path: at, Slug: flows.SlugConflict,
				Message: fmt.Sprintf("the %s %q was already made through the API: delete it there, or take it out of the config file", c.k.name, id)})
			continue
		}
		listed[id] = true
		e, found, err := c.seeded(old, x)
		if err != nil {
			return nil, err
		}
		problems = append(problems, found.Under(at)...)
		switch {
		case len(found) > 0 || e == old:
		case old == nil:
			done.Added = append(done.Added, id)
			next = c.add(b, next, e)
		default:
			done.Changed = append(done.Changed, id)
			next = c.add(b, next, e)
		}
	}
	for _, e := range next.order {
		if e.origin == originConfig && !listed[e.at.id] {
			done.Removed = append(done.Removed, e.at.id)
			next = c.remove(b, next, e.at.id)
		}
	}
	return problems, nil
}

// seeded is the entry for x: new, or old changed, or old itself.
func (c *Collection[T]) seeded(old *entry[T], x *T) (*entry[T], flows.Problems, error) {
	var e *entry[T]
	var err error
	if old == nil {
		e, err = c.made(x, originConfig)
	} else {
		e, _, err = c.changed(old, x, originConfig)
	}
	if problems := problemsOf(err); problems != nil {
		return nil, problems, nil
	}
	return e, nil, err
}

var notSlug = regexp.MustCompile(`[^a-z0-9]+`)

// slug makes a part of an id from a name. Names that do not survive it whole
// get a piece of their hash, so that different ones never share a slug by chance.
func slug(name string) string {
	lower := strings.ToLower(name)
	s := strings.Trim(notSlug.ReplaceAllString(lower, "_"), "_")
	if len(s) > 40 {
		s = s[:40]
	}
	if strings.ReplaceAll(s, "_", "-") == strings.ReplaceAll(strings.ReplaceAll(lower, "_", "-"), " ", "-") && s != "" {
		return s
	}
	sum := sha256.Sum256([]byte(name))
	return strings.Trim(s+"_"+hex.EncodeToString(sum[:4]), "_")
}
