package exchange

import (
	"log/slog"

	"b2bua/flows"
)

// registrar is what sip knows of registered phones.
type registrar interface {
	Registered() []string
	Forget(username string) int
}

// registrations ends those of devices that a new plan no longer lets in. Without
// it a phone whose device is gone, or whose password was changed because it was
// lost, would be called for up to an hour more.
type registrations struct {
	sip  registrar
	log  *slog.Logger
	plan *flows.Plan // the one in force; only touched by planned
}

// planned is told of every new plan, in order.
func (r *registrations) planned(p *flows.Plan) {
	old := r.plan
	r.plan = p
	for _, username := range r.sip.Registered() {
		was, is := old.DeviceByUsername(username), p.DeviceByUsername(username)
		if is != nil && was != nil && is.ID == was.ID && is.Password == was.Password {
			continue
		}
		if n := r.sip.Forget(username); n > 0 {
			r.log.Info("registrations ended", "device", username, "bindings", n)
		}
	}
}
