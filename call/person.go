package call

import (
	"strings"

	"b2bua/flows"
	"b2bua/queue"
)

// A person is whom a queue knows as a member: by a device, a number or a SIP
// address. Several names may be one person's.

// Person is the key of a destination in the plan.
func Person(p *flows.Plan, kind flows.DestinationType, to string) string {
	switch kind {
	case flows.ToDevice:
		d := p.Device(to)
		if d == nil {
			d = p.DeviceByUsername(to)
		}
		if d != nil {
			to = d.ID
		}
		return "device:" + to
	case flows.ToNumber:
		if d := p.DeviceByNumber(to); d != nil {
			return "device:" + d.ID
		}
		return "number:" + to
	}
	return "sip:" + to
}

// person is who is at the far end of a leg.
func (l *leg) person() string {
	switch {
	case l.account.device != "":
		return "device:" + l.account.device
	case l.reach.Type == flows.ToSIP:
		return "sip:" + l.reach.Destination
	case l.reach.Type == flows.ToNumber:
		return "number:" + l.reach.Destination
	}
	return "number:" + l.who.number
}

// Presence is how a person is, as far as calls know.
func (s *System) Presence(key string) queue.Presence {
	if s.Calls.busy(key) {
		return queue.Busy
	}
	plan := s.Store.Plan()
	kind, to, _ := strings.Cut(key, ":")
	switch kind {
	case "device":
		if d := plan.Device(to); d == nil || len(s.SIP.Bindings(d.Username)) == 0 {
			return queue.Absent
		}
	case "number":
		for _, t := range plan.Trunks() {
			if t.Outbound != nil && t.Outbound.URI != "" {
				return queue.Free
			}
		}
		return queue.Absent
	}
	return queue.Free
}

// busy reports whether a person has a call.
func (r *Registry) busy(person string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.people[person] > 0
}

// OnFree has f told whenever a person has no call any more. It is called once,
// before the first call.
func (r *Registry) OnFree(f func(person string)) { r.onFree = f }

// count is one leg more or less of a person; free says that it was the last. The
// lock is held.
func (r *Registry) count(person string, n int) (free bool) {
	r.people[person] += n
	if r.people[person] > 0 {
		return false
	}
	delete(r.people, person)
	return n < 0
}
