package call

import (
	"sync"
	"time"

	"b2bua/flows"
)

// permits counts the calls to the outside that devices have, so that a stolen
// password is worth no more than a few of them. Every call of the switch shares
// it: unlike what is inside a call, it is locked. The zero value is ready.
type permits struct {
	mu   sync.Mutex
	used map[string]int // by device id
}

// take asks for one more call on a device's permission. Without a device, or
// without room, it works as trunkLimits.take does.
func (p *permits) take(d *flows.Device) (release func(), ok bool) {
	if d == nil {
		return func() {}, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used[d.ID] >= d.MostCalls() {
		return nil, false
	}
	if p.used == nil {
		p.used = make(map[string]int)
	}
	p.used[d.ID]++
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.used[d.ID]--; p.used[d.ID] == 0 {
			delete(p.used, d.ID)
		}
	}), true
}

// admit takes the places that a leg needs on its trunk, and on the account of the
// device that asked for it. The leg gives them back.
func (p *prong) admit() (refused flows.Outcome, ok bool) {
	h, t := p.hunt, p.target
	device, ok := h.call.sys.permits.take(t.outward)
	if !ok {
		h.rounds = nil // another trunk does not make it fewer
		return flows.Outcome{Result: flows.Forbidden, Detail: "the device has as many calls to the outside as it may"}, false
	}
	trunk, ok := h.call.sys.trunks.take(t.trunk, time.Now())
	if !ok {
		device()
		return flows.Outcome{Result: flows.Unavailable, Detail: "the trunk carries as many calls as it may"}, false
	}
	p.leg.release = func() {
		device()
		trunk()
	}
	return flows.Outcome{}, true
}
