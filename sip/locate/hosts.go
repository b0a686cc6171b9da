package locate

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	maxAddrs = 16 // of one host
	// grace is how long the others may take once a way is known: one name server
	// that hangs must not hold up the call to the hosts that can be reached.
	grace = 300 * time.Millisecond
)

type hostport struct {
	host string
	port uint16
}

// hosts gives the addresses of some hosts, those of the first in front. Without
// a transport they are not to be sent to, and all are waited for.
func (r *Resolver) hosts(ctx context.Context, name, transport string, at []hostport) ([]Target, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	var asked sync.WaitGroup
	defer asked.Wait()
	defer cancel(context.Canceled)
	kinds := []uint16{dns.TypeA, dns.TypeAAAA}
	if r.cfg.Hosts != nil {
		kinds = []uint16{typeHosts}
	}
	found := make([]answer, len(at)*len(kinds))
	came := make(chan int, len(found))
	errs := make([]error, len(found))
	for i := range found {
		asked.Go(func() {
			found[i], errs[i] = r.get(ctx, key{at[i/len(kinds)].host, kinds[i%len(kinds)]})
			came <- i
		})
	}
	var hurry *time.Timer
	for range found {
		if i := <-came; len(found[i].addrs) > 0 && hurry == nil && transport != "" {
			hurry = time.AfterFunc(grace, func() { cancel(errSlow) })
			defer hurry.Stop()
		}
	}
	var targets, unusable []Target
	for i, a := range found {
		h := at[i/len(kinds)]
		for _, addr := range ipv4First(a.addrs) {
			t := Target{transport, name, netip.AddrPortFrom(addr, h.port)}
			if r.cfg.Usable(transport, addr) {
				targets = append(targets, t)
			} else {
				unusable = append(unusable, t)
			}
		}
	}
	failure := firstError(errs)
	if len(targets) == 0 {
		targets = unusable
	}
	switch {
	case len(targets) > 0:
	case failure != nil:
		return nil, failure
	default:
		return nil, ErrNotFound
	}
	return targets, nil
}

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func ipv4First(addrs []netip.Addr) []netip.Addr {
	var v4, v6 []netip.Addr
	for _, a := range addrs {
		if a = a.Unmap(); a.Is4() {
			v4 = append(v4, a)
		} else {
			v6 = append(v6, a)
		}
	}
	return append(v4, v6...)
}

// begin asks in the background; what it returns waits for the answer.
func (r *Resolver) begin(ctx context.Context, asked *sync.WaitGroup, k key) func() (answer, error) {
	type outcome struct {
		answer answer
		err    error
	}
	ch := make(chan outcome, 1)
	asked.Go(func() {
		a, err := r.get(ctx, k)
		ch <- outcome{a, err}
	})
	return func() (answer, error) {
		o := <-ch
		return o.answer, o.err
	}
}
