package registrar

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// mayRemoveAll is "Contact: *" (RFC 3261 §10.2.2): only with Expires 0 and alone.
func mayRemoveAll(old []Binding, q Request) error {
	if q.Expires != 0 || len(q.Contacts) > 0 {
		return ErrStar
	}
	for _, b := range old {
		if older(b, q) {
			return ErrOutOfOrder
		}
	}
	return nil
}

// apply adds, refreshes and removes the contacts of one request.
func (r *Registrar) apply(old []Binding, q Request, now time.Time) ([]Binding, error) {
	next := slices.Clone(old)
	for _, c := range q.Contacts {
		key, ok := contactKey(c.URI)
		if !ok {
			return nil, ErrContact
		}
		expires, err := r.expires(c, q)
		if err != nil {
			return nil, err
		}
		same := func(b Binding) bool {
			// A phone that restarted comes with a new contact but the same instance
			// (RFC 5626 §6): the old one leads nowhere any more.
			if c.Instance != "" && c.RegID > 0 && b.Instance == c.Instance && b.RegID > 0 {
				return b.RegID == c.RegID // another flow of this phone (RFC 5626 §6), be it of one URI
			}
			return b.key == key || c.Instance != "" && b.Instance == c.Instance && b.RegID == c.RegID
		}
		for _, b := range old {
			if same(b) && older(b, q) {
				return nil, ErrOutOfOrder
			}
		}
		next = slices.DeleteFunc(next, same)
		if expires == 0 {
			continue
		}
		next = append(next, Binding{
			User: q.User, Contact: c.URI, Q: c.Q,
			Source: unmap(q.Source), Local: q.Local, Transport: strings.ToLower(q.Transport), UserAgent: q.UserAgent,
			Expires: now.Add(expires), Updated: now,
			CallID: q.CallID, CSeq: q.CSeq, Instance: c.Instance, RegID: c.RegID, Path: q.Path,
			key: key,
		})
	}
	return next, nil
}

// fewest drops the contacts that were refreshed longest ago until there is room
// for those of q: a phone without +sip.instance that restarts at random ports
// would be locked out by its own past until that expires.
func (r *Registrar) fewest(next []Binding, q Request, now time.Time) []Binding {
	for len(next) > r.cfg.MaxContacts {
		last := -1
		for i, b := range next {
			mine := b.CallID == q.CallID && b.CSeq == q.CSeq && b.Updated.Equal(now)
			if !mine && (last < 0 || !b.Updated.After(next[last].Updated)) {
				last = i
			}
		}
		if last < 0 {
			break // one request with too many
		}
		next = slices.Delete(next, last, last+1)
	}
	return next
}

// older is the ordering rule of RFC 3261 §10.3 step 7: within one Call-ID only a
// higher CSeq changes a binding.
func older(b Binding, q Request) bool { return b.CallID == q.CallID && q.CSeq <= b.CSeq }

// expires decides how long a contact stays: its own parameter, else the header,
// else the default (RFC 3261 §10.3 step 6). A too short wish is refused, except
// that 0 removes.
func (r *Registrar) expires(c Contact, q Request) (time.Duration, error) {
	wish := c.Expires
	if wish < 0 {
		wish = q.Expires
	}
	switch {
	case wish < 0:
		return r.cfg.DefaultExpires, nil
	case wish == 0:
		return 0, nil
	case wish < r.cfg.MinExpires:
		return 0, &IntervalError{Min: r.cfg.MinExpires}
	}
	return min(wish, r.cfg.MaxExpires), nil
}

const maxContact = 512

// contactKey is what makes two contacts the same binding: RFC 3261 §19.1.4 as
// far as phones need it. Scheme, host and parameters compare without case, the
// user part with it; parameters in any order.
func contactKey(uri string) (key string, ok bool) {
	if len(uri) > maxContact || strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' }) {
		return "", false
	}
	scheme, rest, found := strings.Cut(uri, ":")
	scheme = strings.ToLower(scheme)
	if !found || scheme != "sip" && scheme != "sips" {
		return "", false
	}
	rest, _, _ = strings.Cut(rest, "?")
	user := ""
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		user, rest = rest[:i+1], rest[i+1:]
	}
	parts := strings.Split(strings.ToLower(rest), ";")
	if parts[0] == "" {
		return "", false
	}
	slices.Sort(parts[1:])
	return scheme + ":" + user + strings.Join(parts, ";"), true
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
