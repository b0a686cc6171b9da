package exchange

import (
	"b2bua/flows"
	"b2bua/sip"
)

// destination is what a party of a call may transfer the other one to: what it
// could dial itself. d is the transferor's device, nil for a trunk that may
// transfer calls. code refuses it.
func destination(plan *flows.Plan, d *flows.Device, user string) (rule flows.Rule, code int) {
	rule.Pattern = "*"
	to := flows.E164(dialled(user))
	if flow, owned := plan.Lookup(to); owned {
		rule.DestinationType = flows.ToApplication
		if flow != nil {
			rule.Destination, rule.DestinationType = flow.ID, flows.ToFlow
		}
		return rule, 0
	}
	if other := colleague(plan, user); other != nil {
		rule.Destination, rule.DestinationType = other.ID, flows.ToDevice
		return rule, 0
	}
	if _, err := flows.ParseNumber(to); err != nil {
		return rule, 404
	}
	if d == nil || !d.MayDial(to) {
		return rule, 403
	}
	rule.Destination, rule.DestinationType = to, flows.ToNumber
	return rule, 0
}

// replace is an INVITE that wants the place of another phone (RFC 3891).
func (x *Exchange) replace(in *sip.Invitation) {
	code := 481
	if leg, ok := x.sip.Dialog(*in.Replaces); ok {
		code = x.calls.Replace(x.calling, in, leg)
	}
	if code != 0 {
		x.log.Info("place of another phone refused", "from", in.From.User, "source", in.Source, "sip_code", code)
		in.Reject(code, "")
	}
}
