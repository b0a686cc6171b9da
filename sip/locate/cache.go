package locate

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

const (
	minFresh    = 5 * time.Second // a TTL of 0 would ask for every call
	maxFresh    = time.Hour
	maxNegative = 5 * time.Minute // RFC 2308 §5 allows hours; a carrier that adds records should not wait
	usableFor   = time.Hour       // after it ran out, while nothing newer can be had
	hostsFresh  = time.Minute     // the system's resolver tells no TTL

	retryFailed = 5 * time.Second  // RFC 9520: a failure is not asked for again at once
	retryStale  = 30 * time.Second // RFC 8767 §5
	maxEntries  = 4096

	recordsTime = 1500 * time.Millisecond // for NAPTR and SRV: many forwarders swallow what they do not know
	staleTime   = 1500 * time.Millisecond // RFC 8767 §5: how long a known answer waits for a newer one
)

const (
	typeHosts = dns.TypeNone // an address by Config.Hosts
	typeNAPTR = dns.TypeNAPTR
	typeSRV   = dns.TypeSRV
)

type key struct {
	name string
	kind uint16
}

// answer is what is known for a key. All empty: there is no such record.
type answer struct {
	addrs []netip.Addr
	srv   []srv
	naptr []naptr
	ttl   time.Duration
}

func (a answer) empty() bool { return len(a.addrs)+len(a.srv)+len(a.naptr) == 0 }

// entry is an answer kept. It is used as it is until fresh, asked for anew after
// that, and used again until usable when that fails.
type entry struct {
	answer
	fresh, usable time.Time
	failure       error // of the last attempt
	retry         time.Time
	used          time.Time
}

// known is what an entry says without asking anybody.
func (e *entry) known(now time.Time) (a answer, err error, ok bool) { //nolint:revive // ok says whether there is an answer or error at all
	switch {
	case now.Before(e.fresh):
		return e.answer, nil, true
	case !now.Before(e.retry):
		return answer{}, nil, false
	case now.Before(e.usable):
		return e.answer, nil, true
	}
	return answer{}, e.failure, true
}

// flight is a question under way.
type flight struct {
	done      chan struct{}
	answer    answer
	err       error
	abandoned bool // who asked lost interest; that says nothing about the name
}

var errSlow = errors.New("no answer in time")

// get answers from memory, or asks; many that want the same ask once.
func (r *Resolver) get(ctx context.Context, k key) (answer, error) {
	for {
		r.mu.Lock()
		e, stale := r.cache[k], false
		if now := r.cfg.Now(); e != nil {
			e.used = now
			if a, err, ok := e.known(now); ok {
				r.mu.Unlock()
				return a, err
			}
			stale = now.Before(e.usable)
		}
		f, others := r.flights[k]
		if !others {
			f = &flight{done: make(chan struct{})}
			r.flights[k] = f
		}
		r.mu.Unlock()
		if !others {
			r.fly(ctx, k, f, stale)
			return f.answer, f.err
		}
		select {
		case <-f.done:
			if !f.abandoned || ctx.Err() != nil {
				return f.answer, f.err
			}
		case <-ctx.Done():
			return answer{}, context.Cause(ctx)
		}
	}
}

// fly asks and remembers the outcome.
func (r *Resolver) fly(ctx context.Context, k key, f *flight, stale bool) {
	f.err, f.abandoned = errSlow, true // should the asking panic
	defer func() {
		r.mu.Lock()
		delete(r.flights, k)
		r.mu.Unlock()
		close(f.done)
	}()
	limit := lookupTime
	switch {
	case stale:
		limit = staleTime
	case k.kind == typeNAPTR || k.kind == typeSRV:
		limit = recordsTime
	}
	within, cancel := context.WithTimeoutCause(ctx, limit, errSlow)
	a, err := r.ask(within, k)
	cancel()
	f.abandoned = err != nil && context.Cause(ctx) == context.Canceled //nolint:errorlint // the cause itself, not what it wraps
	if f.abandoned {
		f.err = err
		return
	}
	f.answer, f.err = r.remember(k, a, err)
}

// remember keeps what came of a question and gives what is to be used.
func (r *Resolver) remember(k key, a answer, err error) (answer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.cfg.Now()
	e := r.cache[k]
	if e == nil {
		if len(r.cache) >= maxEntries {
			r.evict()
		}
		e = &entry{}
		r.cache[k] = e
	}
	e.used = now
	if err == nil {
		e.answer, e.failure, e.retry = a, nil, time.Time{}
		e.fresh = now.Add(min(max(a.ttl, minFresh), maxFresh))
		e.usable = e.fresh.Add(usableFor)
		if a.empty() {
			e.fresh = now.Add(min(max(a.ttl, minFresh), maxNegative))
			e.usable = e.fresh
		}
		return a, nil
	}
	e.failure, e.retry = err, now.Add(retryFailed)
	if now.Before(e.usable) {
		e.retry = now.Add(retryStale)
		return e.answer, nil
	}
	return answer{}, err
}

// evict makes room: of a handful at random the one not used for longest goes.
// mu is held.
func (r *Resolver) evict() {
	var oldest key
	var used time.Time
	looked := 0
	for k, e := range r.cache { // in random order
		if looked == 0 || e.used.Before(used) {
			oldest, used = k, e.used
		}
		if looked++; looked == 16 {
			break
		}
	}
	delete(r.cache, oldest)
}
