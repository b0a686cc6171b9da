package exchange

import (
	"context"
	"log/slog"
	"maps"
	"net/netip"
	"sync/atomic"
	"time"

	"b2bua/flows"
	"b2bua/sip"
)

// hostsEvery is how often the names of trunks are resolved anew. Carriers move
// their addresses rarely, and announce it by short-lived records at most.
const hostsEvery = 5 * time.Minute

// hosts knows which addresses the host names of trunks stand for. A name that
// cannot be resolved keeps the addresses it had: a resolver that is down must
// not lock a carrier out.
type hosts struct {
	resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	log     *slog.Logger
	known   atomic.Pointer[map[netip.Addr]sip.Trunk]
	changed chan *flows.Plan
	last    map[string][]netip.Addr // by name; only touched by Run
}

func newHosts(resolve func(context.Context, string) ([]netip.Addr, error), log *slog.Logger) *hosts {
	return &hosts{resolve: resolve, log: log, changed: make(chan *flows.Plan, 1), last: map[string][]netip.Addr{}}
}

func (h *hosts) trunk(addr netip.Addr) (sip.Trunk, bool) {
	known := h.known.Load()
	if known == nil {
		return sip.Trunk{}, false
	}
	t, ok := (*known)[addr.Unmap()]
	return t, ok
}

// planned is told of every new plan; only the newest waits to be looked at.
func (h *hosts) planned(p *flows.Plan) {
	select {
	case <-h.changed:
	default:
	}
	select {
	case h.changed <- p:
	default:
	}
}

// Run resolves the names, again and again, until ctx ends.
func (h *hosts) Run(ctx context.Context, plan *flows.Plan) {
	tick := time.NewTicker(hostsEvery)
	defer tick.Stop()
	for {
		h.lookUp(ctx, plan)
		select {
		case plan = <-h.changed:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (h *hosts) lookUp(ctx context.Context, plan *flows.Plan) {
	found := map[netip.Addr]sip.Trunk{}
	names := map[string][]netip.Addr{}
	for _, t := range plan.Trunks() {
		for _, name := range hostNames(t) {
			addrs, err := h.resolve(ctx, name)
			if err != nil {
				addrs = h.last[name]
				h.log.Warn("resolve trunk host", "trunk", t.Name, "host", name, "err", err)
			}
			names[name] = addrs
			for _, a := range addrs {
				found[a.Unmap()] = sip.Trunk{ID: t.ID, Name: t.Name}
			}
		}
	}
	h.last = maps.Clone(names)
	h.known.Store(&found)
}

// hostNames are those of a trunk's hosts that are neither addresses nor CIDRs.
func hostNames(t *flows.Trunk) []string {
	var names []string
	for _, host := range t.Hosts {
		_, notAddr := netip.ParseAddr(host)
		_, notPrefix := netip.ParsePrefix(host)
		if notAddr != nil && notPrefix != nil {
			names = append(names, host)
		}
	}
	return names
}
