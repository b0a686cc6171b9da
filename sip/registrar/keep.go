package registrar

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// Changes gives the bindings of the users for whom something has changed since
// the last call, an empty list for those who have none left. What they keep is
// enough to be Restored after a restart.
func (r *Registrar) Changes() map[string][]Binding {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[string][]Binding, len(r.dirty))
	for user := range r.dirty {
		out[user] = slices.Clone(r.users[user])
	}
	clear(r.dirty)
	return out
}

// Unkept says that what Changes gave for these users could not be kept: it gives
// them again.
func (r *Registrar) Unkept(users iter.Seq[string]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for user := range users {
		r.dirty[user] = true
	}
}

// Restore brings back what an earlier process knew of a user and says how much
// of it still holds. Connections have died with that process: only those who are
// reached by datagrams come back (RFC 5626 §4.2).
func (r *Registrar) Restore(user string, old []Binding) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	next := slices.Clone(r.users[user])
	for _, b := range old {
		key, ok := contactKey(b.Contact)
		known := slices.ContainsFunc(next, func(n Binding) bool { return n.key == key })
		if !ok || known || strings.ToLower(b.Transport) != "udp" || !b.Source.IsValid() || !b.Expires.After(now) ||
			len(next) >= r.cfg.MaxContacts || r.total >= r.cfg.MaxBindings {
			continue
		}
		// The clock may have been set back meanwhile.
		if latest := now.Add(r.cfg.MaxExpires); b.Expires.After(latest) {
			b.Expires = latest
		}
		b.User, b.key, b.Source = user, key, unmap(b.Source)
		next = append(next, b)
	}
	n := len(next) - len(r.users[user])
	if n > 0 {
		r.replace(user, next)
	}
	return n
}

// Users are those with a binding, in no order.
func (r *Registrar) Users() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.users))
}
