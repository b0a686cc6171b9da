package webhook

import (
	"sync/atomic"

	"b2bua/events"
)

// parcel is one event on its way to all endpoints that want it.
type parcel struct {
	event   events.Event
	left    atomic.Int32 // jobs, and the deliverer while it makes them
	settled func(events.Event)
}

func (d *Deliverer) parcel(e events.Event) *parcel {
	if d.cfg.Settled == nil {
		return nil
	}
	p := &parcel{event: e, settled: d.cfg.Settled}
	p.hold()
	return p
}

func (p *parcel) hold() {
	if p != nil {
		p.left.Add(1)
	}
}

// settle is one endpoint less to be told; the last one tells.
func (p *parcel) settle() {
	if p != nil && p.left.Add(-1) == 0 {
		p.settled(p.event)
	}
}
