package exchange

import (
	"context"
	"log/slog"
	"maps"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"b2bua/api"
	"b2bua/flows"
	"b2bua/sip"
)

// signaller is what sip does for a trunk.
type signaller interface {
	Ping(context.Context, sip.Target) (int, error)
	Register(sip.Registration) *sip.Registered
}

// trunks keeps the registrations up, asks the far ends whether they are there,
// and knows which of them are. Each trunk with a way out has a line, which lives
// as long as what it is made of does not change.
type trunks struct {
	sip     signaller
	now     func() time.Time
	random  func() float64
	log     *slog.Logger
	down    func(trunkID string) // one has stopped answering
	changed chan *flows.Plan

	wg    sync.WaitGroup // the lines, also those that are being ended
	mu    sync.Mutex
	lines map[string]*line // by trunk id
	gone  map[string]*line // of trunks that are no more, until they have taken their registrations back

	accounts atomic.Pointer[map[netip.Addr][]account] // who registers where
}

// account is ours at a registrar.
type account struct {
	trunk sip.Trunk
	user  string
}

// chance is any part of a time.
func (x *trunks) chance(of time.Duration) time.Duration {
	return time.Duration(x.random() * float64(of))
}

func newTrunks(s signaller, now func() time.Time, random func() float64, log *slog.Logger, down func(trunkID string)) *trunks {
	return &trunks{sip: s, now: now, random: random, log: log, down: down, changed: make(chan *flows.Plan, 1), lines: map[string]*line{}, gone: map[string]*line{}}
}

// planned is told of every new plan; only the newest waits to be looked at.
func (x *trunks) planned(p *flows.Plan) {
	select {
	case <-x.changed:
	default:
	}
	select {
	case x.changed <- p:
	default:
	}
}

// Run keeps the lines as the plan says, until ctx ends. Then the registrations
// are taken back, for as long as farewell allows.
func (x *trunks) Run(ctx context.Context, plan *flows.Plan) {
	for {
		x.reconcile(plan)
		select {
		case plan = <-x.changed:
		case <-ctx.Done():
			x.close()
			return
		}
	}
}

// reconcile begins the lines that are new, ends those that are gone, and replaces
// those that have changed. The others notice nothing.
func (x *trunks) reconcile(plan *flows.Plan) {
	wanted := map[string]lineConfig{}
	for _, t := range plan.Trunks() {
		if c, ok := configOf(t); ok {
			wanted[t.ID] = c
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for id, l := range x.lines {
		if c, ok := wanted[id]; !ok || c != l.cfg {
			l.stop()
			if !ok {
				delete(x.lines, id)
				x.gone[id] = l
			}
		}
	}
	for id, c := range wanted {
		if old := x.lines[id]; old == nil || old.cfg != c {
			if old == nil {
				old = x.gone[id] // a trunk of that id was deleted a moment ago
			}
			x.lines[id] = newLine(x, id, c, old)
		}
	}
	maps.DeleteFunc(x.gone, func(id string, l *line) bool { return x.lines[id] != nil || l.ended() })
	x.publish()
}

func (x *trunks) close() {
	x.mu.Lock()
	for _, l := range x.lines {
		l.stop()
	}
	x.mu.Unlock()
	x.wg.Wait() // without the lock: what ends has something to tell
}

// publish tells the directory where calls of registered trunks come from; mu is
// held.
func (x *trunks) publish() {
	where := map[netip.Addr][]account{}
	for id, l := range x.lines {
		if s := l.registration(); s.Registered {
			where[s.Remote] = append(where[s.Remote], account{trunk: sip.Trunk{ID: id, Name: l.cfg.name}, user: l.cfg.target.Username})
		}
	}
	x.accounts.Store(&where)
}

// republish is publish after a registration has changed.
func (x *trunks) republish() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.publish()
}

// trunk finds one that is registered at an address. When several are, any of
// them is an answer to whether the source is known; see called.
func (x *trunks) trunk(addr netip.Addr) (sip.Trunk, bool) {
	for _, a := range x.at(addr) {
		return a.trunk, true
	}
	return sip.Trunk{}, false
}

// called finds the trunk whose account at an address is called: the registrar
// sends to the Contact, which has the account's name in it.
func (x *trunks) called(addr netip.Addr, user string) (sip.Trunk, bool) {
	for _, a := range x.at(addr) {
		if a.user != "" && strings.EqualFold(a.user, user) {
			return a.trunk, true
		}
	}
	return sip.Trunk{}, false
}

func (x *trunks) at(addr netip.Addr) []account {
	if where := x.accounts.Load(); where != nil {
		return (*where)[addr.Unmap()]
	}
	return nil
}

// Healthy is false for a trunk that is known to be down.
func (x *trunks) Healthy(id string) bool {
	s, ok := x.TrunkStatus(id)
	return !ok || s.State != api.TrunkDown
}

// ServiceRoute is the way that a trunk's registrar has named for its calls, while
// we are registered there.
func (x *trunks) ServiceRoute(id string) []string {
	x.mu.Lock()
	l := x.lines[id]
	x.mu.Unlock()
	if l == nil {
		return nil
	}
	if r := l.registration(); r.Registered {
		return r.Routes
	}
	return nil
}

// TrunkStatus shows a trunk to the API.
func (x *trunks) TrunkStatus(id string) (api.TrunkStatus, bool) {
	x.mu.Lock()
	l := x.lines[id]
	x.mu.Unlock()
	if l == nil {
		return api.TrunkStatus{}, false
	}
	return l.status(), true
}

// measure is a number of each trunk that has one.
func (x *trunks) measure(of func(api.TrunkStatus) (float64, bool)) map[string]float64 {
	x.mu.Lock()
	lines := make(map[string]*line, len(x.lines))
	for id, l := range x.lines {
		lines[id] = l
	}
	x.mu.Unlock()
	out := map[string]float64{}
	for id, l := range lines {
		if n, ok := of(l.status()); ok {
			out[id] = n
		}
	}
	return out
}
