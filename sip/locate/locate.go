package locate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	lookupTime = 4 * time.Second // of a whole Locate
	maxTargets = 32              // of one Locate
	maxSRV     = 16              // hosts of one set of SRV records that are looked up
)

// What may be wrong with a question, or come of it.
var (
	ErrName      = errors.New("not a host name")
	ErrTransport = errors.New("no such transport here")
	ErrNotFound  = errors.New("no address")
	// ErrRefused is the SRV target ".": the domain says that it does not offer
	// the service (RFC 2782).
	ErrRefused = errors.New("the domain does not offer SIP by this transport")
)

// Question is the part of a SIP URI that says where a request goes.
type Question struct {
	Host      string
	Port      int    // 0 when the URI has none
	Transport string // the URI's transport parameter; empty when it has none
	Secure    bool   // a sips URI
}

// Target is an address to try.
type Target struct {
	Transport string // udp, tcp, tls, ws or wss
	// Name is the host of the question: what the certificate of a TLS server has
	// to prove, whatever SRV records say (RFC 5922 §4).
	Name string
	Addr netip.AddrPort
}

// Resolver answers questions. It may be used by many at the same time.
type Resolver struct {
	cfg Config

	mu      sync.Mutex
	cache   map[key]*entry
	flights map[key]*flight

	health health

	servers servers
	good    atomic.Uint32 // which of the servers answered last
}

// New makes a resolver and starts nothing.
func New(cfg Config) (*Resolver, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	return &Resolver{cfg: cfg, cache: map[key]*entry{}, flights: map[key]*flight{},
		health: health{now: cfg.Now, until: map[place]time.Time{}}}, nil
}

// Locate gives the addresses for a question in the order in which they are to
// be tried, at least one when err is nil. It takes at most 4 s, none for an
// address and little for what is in the cache.
func (r *Resolver) Locate(ctx context.Context, q Question) ([]Target, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	targets, err := r.locate(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("locate %q: %w", q.Host, err)
	}
	if len(targets) > maxTargets {
		targets = targets[:maxTargets]
	}
	return r.health.order(targets), nil
}

func (r *Resolver) locate(ctx context.Context, q Question) ([]Target, error) {
	transport, err := r.transport(q)
	if err != nil {
		return nil, err
	}
	if addr, ok := numeric(q.Host); ok {
		transport = r.plainest(transport, q.Secure)
		return []Target{{transport, q.Host, netip.AddrPortFrom(addr, port(q.Port, transport))}}, nil
	}
	host, err := hostName(q.Host)
	if err != nil {
		return nil, err
	}
	switch {
	case q.Port == 0 && transport == "" && r.cfg.records():
		return r.anyTransport(ctx, host, q.Secure)
	case q.Port == 0 && service[transport] != "" && r.cfg.records():
		return r.oneTransport(ctx, host, transport)
	}
	transport = r.plainest(transport, q.Secure)
	return r.hosts(ctx, host, transport, []hostport{{host, port(q.Port, transport)}})
}

// transport is what the URI says, or nothing (RFC 3263 §4.1).
func (r *Resolver) transport(q Question) (string, error) {
	t := strings.ToLower(q.Transport)
	if q.Port < 0 || q.Port >= 1<<16 {
		return "", fmt.Errorf("port %d is none", q.Port)
	}
	if q.Secure {
		secure := map[string]string{"": "", "tcp": "tls", "tls": "tls", "ws": "wss", "wss": "wss"}
		var ok bool
		if t, ok = secure[t]; !ok {
			return "", fmt.Errorf("%w: %s is not secure", ErrTransport, q.Transport)
		}
	}
	if t != "" && defaultPort[t] == 0 {
		return "", fmt.Errorf("%w: %q", ErrTransport, q.Transport)
	}
	if t != "" && !slices.Contains(r.cfg.Transports, t) {
		return "", fmt.Errorf("%w: there is no listener for %s", ErrTransport, t)
	}
	return t, nil
}

// plainest is the transport when nobody says which: UDP for sip and TLS for sips
// (RFC 3263 §4.1), or what else we have.
func (r *Resolver) plainest(transport string, secure bool) string {
	if transport != "" {
		return transport
	}
	for _, t := range []string{"udp", "tcp", "tls"} {
		if slices.Contains(r.cfg.Transports, t) && (t == "tls" || !secure) {
			return t
		}
	}
	if secure {
		return "tls"
	}
	return "udp"
}

var defaultPort = map[string]uint16{"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}

func port(given int, transport string) uint16 {
	if given != 0 {
		return uint16(given) // checked by transport
	}
	return defaultPort[transport]
}

// anyTransport: NAPTR records choose, else the SRV records there are, else the
// address of the name itself (RFC 3263 §4.1, §4.2).
func (r *Resolver) anyTransport(ctx context.Context, host string, secure bool) ([]Target, error) {
	ctx, cancel := context.WithCancel(ctx)
	var asked sync.WaitGroup
	defer asked.Wait()
	defer cancel()
	// All at once: a server that drops the questions it does not know costs its
	// time-out only once.
	naptr := r.begin(ctx, &asked, key{host, typeNAPTR})
	type offer struct {
		transport string
		records   func() (answer, error)
	}
	var offers []offer
	for _, t := range r.cfg.Transports {
		if service[t] != "" && (t == "tls" || !secure) {
			offers = append(offers, offer{t, r.begin(ctx, &asked, key{service[t] + "." + host, typeSRV})})
		}
	}
	var failed error
	if a, err := naptr(); err == nil {
		for _, n := range r.services(a.naptr, secure) {
			a, err := r.get(ctx, key{n.srv, typeSRV})
			if err != nil || len(a.srv) == 0 {
				continue
			}
			if targets, err := r.serve(ctx, host, n.transport, a.srv); err == nil {
				return targets, nil
			}
		}
	}
	for _, o := range offers {
		a, err := o.records()
		if err != nil || len(a.srv) == 0 {
			continue
		}
		targets, err := r.serve(ctx, host, o.transport, a.srv)
		if err == nil {
			return targets, nil
		}
		failed = err
	}
	if failed != nil {
		return nil, failed
	}
	t := r.plainest("", secure)
	return r.hosts(ctx, host, t, []hostport{{host, port(0, t)}})
}

// oneTransport: its SRV records, else the address of the name itself.
func (r *Resolver) oneTransport(ctx context.Context, host, transport string) ([]Target, error) {
	a, err := r.get(ctx, key{service[transport] + "." + host, typeSRV})
	if err == nil && len(a.srv) > 0 {
		return r.serve(ctx, host, transport, a.srv)
	}
	return r.hosts(ctx, host, transport, []hostport{{host, port(0, transport)}})
}

// serve turns SRV records into targets.
func (r *Resolver) serve(ctx context.Context, host, transport string, records []srv) ([]Target, error) {
	if len(records) == 1 && records[0].host == "" {
		return nil, ErrRefused
	}
	var at []hostport
	for _, s := range shuffle(records, r.cfg.Rand) {
		if s.host != "" && len(at) < maxSRV {
			at = append(at, hostport{s.host, s.port})
		}
	}
	return r.hosts(ctx, host, transport, at)
}
