package sip

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"b2bua/sip/digest"
	"b2bua/sip/guard"
	"b2bua/sip/locate"
	"b2bua/sip/registrar"
	"b2bua/sip/transport"
)

// Endpoint receives and makes calls.
type Endpoint struct {
	cfg        Config
	dir        Directory
	handler    Handler
	log        *slog.Logger
	registrar  *registrar.Registrar
	challenger *digest.Challenger
	guard      *guard.Guard

	servers       *table[string, *serverTx]
	clients       *table[string, *clientTx]
	dialogs       *dialogs
	live          *table[string, *Leg]
	merged        *merged
	carriers      *carriers
	locator       *locate.Resolver
	friends       *friends
	homes         *homes
	subscriptions *subscriptions
	load          *shedder
	routes        routes
	door          *transport.Door
	salt          string // of stateless To tags

	retryAfter atomic.Int64 // seconds; above 0 while draining
	panics     atomic.Uint64

	ready   chan struct{}
	closed  chan struct{}
	ctx     context.Context // ends when the endpoint closes
	cancel  context.CancelFunc
	sockets []*socket // not changed once ready

	mu   sync.Mutex // guards over against wg.Add after wg.Wait
	over bool
	wg   sync.WaitGroup
}

// New makes an endpoint and starts nothing.
func New(cfg Config, dir Directory, h Handler, log *slog.Logger) (*Endpoint, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("sip: %w", err)
	}
	cfg = cfg.withDefaults()
	e := &Endpoint{
		cfg: cfg, dir: dir, handler: h, log: log,
		registrar:     registrar.New(cfg.Registrar, cfg.Now),
		challenger:    digest.New(cfg.Realm, cfg.Now),
		servers:       newTable[string, *serverTx](),
		clients:       newTable[string, *clientTx](),
		dialogs:       newDialogs(),
		live:          newTable[string, *Leg](),
		friends:       newFriends(),
		homes:         newHomes(),
		carriers:      newCarriers(),
		subscriptions: newSubscriptions(),
		load:          newShedder(cfg.MaxPending, cfg.MaxCPS),
		door:          transport.NewDoor(),
		salt:          newToken(),
		ready:         make(chan struct{}),
		closed:        make(chan struct{}),
	}
	e.merged = newMerged(func(key string) bool {
		tx, ok := e.servers.get(key)
		return ok && tx.ongoing()
	})
	var err error
	if e.locator, err = e.newLocator(); err != nil {
		return nil, fmt.Errorf("sip: %w", err)
	}
	cfg.Guard.Now = cfg.Now
	cfg.Guard.Trusted = e.trusted
	e.guard = guard.New(cfg.Guard)
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e, nil
}

// Run listens and serves until ctx ends. It returns an error when a socket
// cannot be opened. It must be called once.
func (e *Endpoint) Run(ctx context.Context) error {
	defer e.close()
	for _, url := range e.cfg.Listen {
		s, err := e.open(url)
		if err != nil {
			return fmt.Errorf("sip: %w", err)
		}
		e.sockets = append(e.sockets, s)
		e.log.Info("listening", "url", url, "port", s.port)
	}
	for _, s := range e.sockets {
		e.background(s.serve)
	}
	close(e.ready)
	<-ctx.Done()
	return nil
}

// Ready is closed once every socket listens.
func (e *Endpoint) Ready() <-chan struct{} { return e.ready }

// Addrs are the bound addresses in the order of Config.Listen, once ready.
func (e *Endpoint) Addrs() []net.Addr {
	<-e.ready
	out := make([]net.Addr, 0, len(e.sockets))
	for _, s := range e.sockets {
		out = append(out, s.addr())
	}
	return out
}

func (e *Endpoint) close() {
	close(e.closed)
	e.cancel()
	for _, s := range e.sockets {
		s.close()
	}
	for _, l := range e.live.all() {
		l.box.post(func() {
			l.end(Ended{By: ByTransport, Code: 503, Reason: "Endpoint closed"})
			l.forget()
		})
	}
	e.subscriptions.stop()
	for _, tx := range e.servers.all() {
		tx.terminate()
	}
	for _, tx := range e.clients.all() {
		tx.terminate()
	}
	e.mu.Lock()
	e.over = true
	e.mu.Unlock()
	e.wg.Wait()
}

func (e *Endpoint) closing() bool {
	select {
	case <-e.closed:
		return true
	default:
		return false
	}
}

// background runs f on a goroutine that Run waits for.
func (e *Endpoint) background(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.over {
		e.wg.Go(f)
	}
}

// Drain refuses new calls with 503 and this Retry-After from now on; the ones
// there are go on. 0 ends draining.
func (e *Endpoint) Drain(retryAfter time.Duration) {
	seconds := int64(retryAfter / time.Second)
	if retryAfter > 0 {
		seconds = max(seconds, 1)
	}
	e.retryAfter.Store(seconds)
}

// Bindings are the live contacts of a device, the preferred one first. Of several
// flows to one instance of a phone there is the newest only: it is one phone, and
// is to ring once (RFC 5626 §5.3).
func (e *Endpoint) Bindings(username string) []Binding {
	seen := map[string]bool{}
	return slices.DeleteFunc(e.registrar.Bindings(username), func(b Binding) bool {
		again := b.Instance != "" && seen[b.Instance]
		seen[b.Instance] = true
		return again
	})
}

// Registered are the users with a contact.
func (e *Endpoint) Registered() []string { return e.registrar.Users() }

// Forget ends the registrations of a device that is gone, or must prove itself
// anew, and says how many contacts it had.
func (e *Endpoint) Forget(username string) int {
	e.subscriptions.forget(username)
	return e.registrar.Remove(username)
}

// RegistrationChanges gives the bindings of those whose registration has changed
// since the last call, to be kept for Restore.
func (e *Endpoint) RegistrationChanges() map[string][]Binding { return e.registrar.Changes() }

// RegistrationsUnkept says that the changes for these users could not be kept;
// they are given again.
func (e *Endpoint) RegistrationsUnkept(users iter.Seq[string]) { e.registrar.Unkept(users) }

// Restore brings the bindings back that a device had before a restart, and says
// how many of them still hold.
func (e *Endpoint) Restore(username string, bindings []Binding) int {
	return e.registrar.Restore(username, bindings)
}

// Sweep frees what expired registrations hold. Call it now and then.
func (e *Endpoint) Sweep() { e.registrar.Sweep() }

// Stats are numbers to watch for leaks and attacks.
type Stats struct {
	Legs               int // not ended, or ended with a BYE still unanswered
	Dialogs            int
	ServerTransactions int
	ClientTransactions int
	Registrations      int
	Subscriptions      int
	Guard              guard.Stats
	Pending            int    // calls that came in and are not answered yet
	Shed               uint64 // calls turned away: too much to do
	Panics             uint64
}

// Stats counts what there is now.
func (e *Endpoint) Stats() Stats {
	pending, shed := e.load.counts()
	return Stats{
		Legs:               e.live.len(),
		Dialogs:            e.dialogs.len(),
		ServerTransactions: e.servers.len(),
		ClientTransactions: e.clients.len(),
		Registrations:      e.registrar.Len(),
		Subscriptions:      e.subscriptions.len(),
		Guard:              e.guard.Stats(),
		Pending:            pending,
		Shed:               shed,
		Panics:             e.panics.Load(),
	}
}

// registered reports whether a phone has registered from exactly this address:
// it is served whatever others behind the address do, or say in its name.
func (e *Endpoint) registered(source netip.AddrPort, network string) bool {
	return !e.registrar.Until(source, network).IsZero()
}

// shunned sources are banned, but for the phones known behind the same address.
func (e *Endpoint) shunned(a arrival) bool {
	return e.guard.Blocked(a.source.Addr()) && !e.registered(a.source, a.sock.network)
}

// trusted sources are not limited: trunks, and whoever we are in a call with.
func (e *Endpoint) trusted(a netip.Addr) bool {
	if _, ok := e.dir.TrunkBySource(a); ok {
		return true
	}
	return e.friends.has(a)
}
