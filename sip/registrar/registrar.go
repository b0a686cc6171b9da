package registrar

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Config bounds what is stored. The zero value means the defaults.
type Config struct {
	MinExpires     time.Duration // shorter wishes are refused with 423; 60 s
	MaxExpires     time.Duration // longer wishes are cut; 1 h
	DefaultExpires time.Duration // when the phone names none; 1 h
	MaxContacts    int           // per user; 10
	MaxBindings    int           // in all; 100,000
}

func (c Config) withDefaults() Config {
	c.MinExpires = cmp.Or(c.MinExpires, time.Minute)
	c.MaxExpires = cmp.Or(c.MaxExpires, time.Hour)
	c.DefaultExpires = min(cmp.Or(c.DefaultExpires, c.MaxExpires), c.MaxExpires)
	c.MaxContacts = cmp.Or(c.MaxContacts, 10)
	c.MaxBindings = cmp.Or(c.MaxBindings, 100_000)
	return c
}

// NoExpires says that a Contact or a REGISTER carries no expiry of its own.
const NoExpires = time.Duration(-1)

// Contact is one Contact header value of a REGISTER.
type Contact struct {
	URI      string        // without angle brackets
	Expires  time.Duration // the expires parameter, NoExpires when absent
	Q        float64       // 0…1; 1 when absent
	Instance string        // +sip.instance, empty when absent
	RegID    int           // reg-id (RFC 5626), 0 when absent
}

// Request is what a REGISTER says, after authentication.
type Request struct {
	User      string
	Contacts  []Contact
	Star      bool          // Contact: *
	Expires   time.Duration // the Expires header, NoExpires when absent
	CallID    string
	CSeq      uint32
	Source    netip.AddrPort // where it came from: the address to dial through NAT
	Local     netip.AddrPort // and where it arrived: NAT lets only that address answer
	Transport string         // "udp", "tcp", …
	UserAgent string
	Path      []string // the proxies between us and the phone (RFC 3327)
}

// Binding is one way to reach a user.
type Binding struct {
	User      string
	Contact   string // the URI as registered
	Q         float64
	Source    netip.AddrPort
	Local     netip.AddrPort // the address of ours that it registered at
	Transport string
	UserAgent string
	Expires   time.Time
	Updated   time.Time

	CallID   string
	CSeq     uint32
	Instance string
	RegID    int
	Path     []string // the route to the contact; not to be changed

	key string
}

// Errors of Register, each with the response it asks for.
var (
	ErrStar       = errors.New("registrar: \"*\" needs Expires: 0 and no other contact") // 400
	ErrContact    = errors.New("registrar: contact is not a SIP URI")                    // 400
	ErrOutOfOrder = errors.New("registrar: older than the registration it would change") // 500
	ErrTooMany    = errors.New("registrar: too many contacts for this user")             // 403
	ErrFull       = errors.New("registrar: the table is full")                           // 503
)

// IntervalError asks for 423 Interval Too Brief with Min-Expires.
type IntervalError struct{ Min time.Duration }

func (e *IntervalError) Error() string {
	return fmt.Sprintf("registrar: expiry under the minimum of %v", e.Min)
}

// Registrar is the table. Its methods may be called from any goroutine.
type Registrar struct {
	cfg Config
	now func() time.Time

	mu       sync.Mutex
	users    map[string][]Binding
	bySource map[netip.AddrPort]map[string]int // how many bindings of which user
	total    int
	dirty    map[string]bool // users who have changed since Changes
}

// New makes an empty table.
func New(cfg Config, now func() time.Time) *Registrar {
	return &Registrar{
		cfg:      cfg.withDefaults(),
		now:      now,
		users:    map[string][]Binding{},
		bySource: map[netip.AddrPort]map[string]int{},
		dirty:    map[string]bool{},
	}
}

// Register applies one REGISTER, all of it or nothing (RFC 3261 §10.3 step 7),
// and returns the bindings the user then has, for the Contact headers of the 200.
// Without contacts it only returns them.
func (r *Registrar) Register(q Request) ([]Binding, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	r.expire(q.User, now)
	old := r.users[q.User]

	var next []Binding
	var err error
	switch {
	case q.Star:
		err = mayRemoveAll(old, q)
	case len(q.Contacts) == 0:
		return slices.Clone(old), nil
	default:
		next, err = r.apply(old, q, now)
	}
	if err != nil {
		return nil, err
	}
	if len(next) > len(old) {
		next = r.fewest(next, q, now)
	}
	if len(next) > r.cfg.MaxContacts && len(next) > len(old) {
		return nil, ErrTooMany
	}
	if len(next) > len(old) && r.total+len(next)-len(old) > r.cfg.MaxBindings {
		r.sweep(now)
		if r.total+len(next)-len(old) > r.cfg.MaxBindings {
			return nil, ErrFull
		}
	}
	r.replace(q.User, next)
	return slices.Clone(next), nil
}

// Bindings are the live ways to reach a user, the preferred (highest q, then
// latest) first.
func (r *Registrar) Bindings(user string) []Binding {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire(user, r.now())
	return slices.Clone(r.users[user])
}

// Until is when the last registration from an address over a transport expires,
// or the zero time when there is none.
func (r *Registrar) Until(source netip.AddrPort, transport string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	source = unmap(source)
	last := r.now()
	found := false
	for u := range r.bySource[source] {
		for _, b := range r.users[u] {
			if b.Source == source && b.Transport == transport && b.Expires.After(last) {
				last, found = b.Expires, true
			}
		}
	}
	if !found {
		return time.Time{}
	}
	return last
}

// Drop forgets what was registered from an address over a transport, because the
// connection is gone (RFC 5626 §4.2), and says how many bindings there were.
func (r *Registrar) Drop(source netip.AddrPort, transport string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	source = unmap(source)
	before := r.total
	for _, u := range slices.Collect(maps.Keys(r.bySource[source])) {
		kept := slices.DeleteFunc(slices.Clone(r.users[u]), func(b Binding) bool {
			return b.Source == source && b.Transport == transport
		})
		r.replace(u, kept)
	}
	return before - r.total
}

// Remove forgets every binding of a user, for example of a deleted device, and
// says how many there were.
func (r *Registrar) Remove(user string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.users[user])
	r.replace(user, nil)
	return n
}

// Sweep frees what has expired and says how much. Call it now and then.
func (r *Registrar) Sweep() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sweep(r.now())
}

// Len counts the bindings in the table, also expired ones not yet swept.
func (r *Registrar) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}

func (r *Registrar) sweep(now time.Time) int {
	before := r.total
	for user := range r.users {
		r.expire(user, now)
	}
	return before - r.total
}

func (r *Registrar) expire(user string, now time.Time) {
	bindings := r.users[user]
	live := func(b Binding) bool { return b.Expires.After(now) }
	if !slices.ContainsFunc(bindings, func(b Binding) bool { return !live(b) }) {
		return
	}
	kept := make([]Binding, 0, len(bindings))
	for _, b := range bindings {
		if live(b) {
			kept = append(kept, b)
		}
	}
	r.replace(user, kept)
}

// replace is the only place that changes the table.
func (r *Registrar) replace(user string, next []Binding) {
	for _, b := range r.users[user] {
		of := r.bySource[b.Source]
		if of[user]--; of[user] == 0 {
			delete(of, user)
		}
		if len(of) == 0 {
			delete(r.bySource, b.Source)
		}
	}
	r.total += len(next) - len(r.users[user])
	if len(next)+len(r.users[user]) > 0 {
		r.dirty[user] = true
	}
	if len(next) == 0 {
		delete(r.users, user)
		return
	}
	slices.SortStableFunc(next, func(a, b Binding) int {
		return cmp.Or(cmp.Compare(b.Q, a.Q), b.Updated.Compare(a.Updated))
	})
	r.users[user] = next
	for _, b := range next {
		of := r.bySource[b.Source]
		if of == nil {
			of = map[string]int{}
			r.bySource[b.Source] = of
		}
		of[user]++
	}
}
