package exchange

import (
	"cmp"
	"strconv"

	"b2bua/call"
	"b2bua/flows"
	"b2bua/sip"
)

// Invited decides what an INVITE is for, and runs the call it begins. sip calls
// it on a goroutine of its own, which becomes the call's.
func (x *Exchange) Invited(in *sip.Invitation) {
	if in.Replaces != nil {
		x.replace(in)
		return
	}
	if c := x.admit(in); c != nil {
		c.Run(x.calling, in)
	}
}

// admit makes the call of an INVITE, or refuses it.
func (x *Exchange) admit(in *sip.Invitation) *call.Call {
	x.account(in)
	plan := x.store.Plan()
	inbound, code := x.route(plan, in)
	if code != 0 {
		x.log.Info("call refused", "did", in.To.User, "from", in.From.User, "source", in.Source, "sip_code", code)
		in.Reject(code, phrases[code])
		return nil
	}
	in.Vouch(written(plan, in, flows.InboundFrom), written(plan, in, flows.InboundTo))
	if limit := x.cfg.Calls.MaxConcurrent; limit > 0 && x.calls.Len() >= limit {
		x.log.Warn("call refused: too many calls", "limit", limit, "did", in.To.User)
		in.Reject(503, "Service Unavailable", sip.Header{Name: "Retry-After", Value: strconv.Itoa(retryAfter)})
		return nil
	}
	return x.system.New(inbound)
}

// account finds out which of our accounts a registrar calls: its INVITE goes to
// the Contact that we registered, and names the number in To.
func (x *Exchange) account(in *sip.Invitation) {
	if in.Trunk == nil {
		return
	}
	if t, ok := x.trunks.called(in.Source.Addr(), in.To.User); ok {
		in.Trunk, in.To.User = &t, cmp.Or(in.Called.User, in.To.User)
	}
}

// retryAfter is how many seconds a caller turned away is asked to wait.
const retryAfter = 5

var phrases = map[int]string{403: "Forbidden", 404: "Not Found"}

// route finds what a call is for: a number the switch owns, or, from a device,
// another device, or a number outside that it may dial. Anything else is refused
// with the code returned: nobody dials out through the switch but by a flow, an
// API command or the permission of a device.
func (x *Exchange) route(plan *flows.Plan, in *sip.Invitation) (call.Inbound, int) {
	inbound := identify(plan, in)
	flow, owned := plan.Lookup(inbound.To)
	switch {
	case owned:
		inbound.Flow = flow
		return inbound, 0
	case in.Device == nil:
		return inbound, 404
	}
	if change, ok := queueCodes[in.To.User]; ok {
		change.By = "phone"
		inbound.Code = &call.Code{Person: call.Person(plan, flows.ToDevice, in.Device.ID), Change: change}
		return inbound, 0
	}
	if rule := toBox(plan, in); rule != nil {
		inbound.Direct = rule
		return inbound, 0
	}
	if d := colleague(plan, inbound.To); d != nil {
		inbound.Direct = &flows.Rule{Pattern: "*", Destination: d.ID, DestinationType: flows.ToDevice}
		if d.VoicemailBoxID != "" {
			inbound.Direct.Fallback = &flows.Fallback{Timeout: 30, Action: flows.ToVoicemail, ActionID: d.VoicemailBoxID}
		}
		return inbound, 0
	}
	if _, err := flows.ParseNumber(inbound.To); err != nil {
		return inbound, 404
	}
	if d := plan.Device(in.Device.ID); d != nil && d.MayDial(inbound.To) && shows(plan, d) {
		inbound.Direct = &flows.Rule{Pattern: "*", Destination: inbound.To, DestinationType: flows.ToNumber}
		inbound.Outward = d
		return inbound, 0
	}
	return inbound, 403
}

// listenCode is what phones dial to listen to their messages.
const listenCode = "*97"

// toBox is where a device goes that dials the code of its mailbox, or the number
// of a box: to its messages when the box is its own, else to leave one.
func toBox(plan *flows.Plan, in *sip.Invitation) *flows.Rule {
	rule := &flows.Rule{Pattern: "*", Destination: flows.AnyBox, DestinationType: flows.ToAccess}
	if in.To.User == listenCode {
		return rule
	}
	box := plan.BoxByNumber(in.To.User)
	if box == nil {
		return nil
	}
	rule.Destination = box.ID
	if d := plan.Device(in.Device.ID); d == nil || d.VoicemailBoxID != box.ID {
		rule.DestinationType = flows.ToVoicemail
	}
	return rule
}

// colleague is the device that another device calls by username or number.
func colleague(plan *flows.Plan, user string) *flows.Device {
	if d := plan.DeviceByUsername(user); d != nil {
		return d
	}
	return plan.DeviceByNumber(flows.E164(user))
}
