package exchange

import (
	"strings"

	"b2bua/call"
	"b2bua/events"
	"b2bua/flows"
	"b2bua/sip"
)

// identify reads who calls and whom. A device is who it proved to be. Of what a
// trunk says its P-Asserted-Identity counts more than From (RFC 3325), unless the
// trunk is not believed; its transforms make E.164 of both numbers.
func identify(plan *flows.Plan, in *sip.Invitation) call.Inbound {
	inbound := call.Inbound{Invitation: in, Plan: plan}
	caller := in.From
	if in.Device != nil {
		inbound.DeviceID = in.Device.ID
	}
	if in.Trunk != nil {
		inbound.TrunkID = in.Trunk.ID
		if t := plan.Trunk(in.Trunk.ID); t != nil && t.TrustsPAI() {
			caller = asserted(in)
		}
		caller.User = plan.Rewrite(in.Trunk.ID, flows.InboundFrom, dialled(caller.User))
		diverted(plan, in, &inbound)
	}
	inbound.From, inbound.To = flows.E164(caller.User), written(plan, in, flows.InboundTo)(in.To.User)
	inbound.Number, inbound.Display = inbound.From, caller.Display
	if in.Anonymous {
		inbound.From = "anonymous"
		if _, err := flows.ParseNumber(inbound.Number); err != nil {
			inbound.Number = ""
		}
	}
	return inbound
}

// written makes E.164 of a number as the trunk of the call writes it.
func written(plan *flows.Plan, in *sip.Invitation, way flows.Way) func(string) string {
	return func(number string) string {
		if number = dialled(number); in.Trunk != nil {
			number = plan.Rewrite(in.Trunk.ID, way, number)
		}
		return flows.E164(number)
	}
}

// asserted is the caller as a trunk that is believed has it.
func asserted(in *sip.Invitation) sip.Party {
	p, ok := in.Asserted()
	if !ok {
		return in.From
	}
	if p.Display == "" {
		p.Display = in.From.Display
	}
	return p
}

func diverted(plan *flows.Plan, in *sip.Invitation, inbound *call.Inbound) {
	var stations []sip.Diversion
	stations, inbound.Diverted = in.Diversions()
	for _, d := range stations {
		from := written(plan, in, flows.InboundTo)(d.Number)
		inbound.Diversions = append(inbound.Diversions, events.Diversion{Number: from, Reason: d.Reason})
	}
}

// shows reports whether a call of the device to the outside could be shown with a
// number: its own, or one that a trunk gives all its calls.
func shows(plan *flows.Plan, d *flows.Device) bool {
	if d.Number != "" {
		return true
	}
	for _, t := range plan.Trunks() {
		if _, err := flows.ParseNumber(t.Identity().From); err == nil && t.Outbound != nil {
			return true
		}
	}
	return false
}

// dialled takes the visual separators out of a number (RFC 3966 section 5.1.1)
// as people and some exchanges write them in SIP URIs, too. What is short, or has
// other characters, is a name and stays as it is.
func dialled(user string) string {
	bare := strings.NewReplacer("-", "", ".", "", "(", "", ")", "").Replace(user)
	digits := strings.TrimPrefix(bare, "+")
	if len(digits) < 7 || strings.Trim(digits, "0123456789") != "" {
		return user
	}
	return bare
}
