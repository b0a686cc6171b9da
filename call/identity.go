package call

import (
	"b2bua/flows"
	"b2bua/sip"
)

// identity is who a party of a call is, as far as somebody vouches for it: the trunk it came
// by, or the password of a device.
type identity struct {
	number   string // E.164 where known; empty when nobody knows it
	display  string
	withheld bool // the caller does not want it told (RFC 3323)
}

// shown is who the far end of an act is told is calling.
func (c *Call) shown(a *act) identity {
	if a != nil && a.callerID != "" { // the API has chosen: there is nothing to withhold
		return identity{number: a.callerID, display: c.env.Call.FromDisplay}
	}
	return c.caller.who // who began the call may have left it to somebody else
}

// party is how the caller is shown to devices and strangers, who are told nothing
// that the caller withholds (RFC 3325 section 5).
func (i identity) party() sip.Party {
	if i.withheld {
		return sip.Anonymous
	}
	return sip.Party{User: i.number, Display: i.display}
}

// present is how the caller is shown to a target.
func (h *hunt) present(t target) (sip.Party, sip.Identity) {
	c, who := h.call, h.call.shown(h.act)
	if t.trunk == nil {
		return who.party(), sip.Identity{}
	}
	policy := t.trunk.Identity()
	if h.act.callerID == "" {
		who = c.by(policy, who)
	}
	number := c.plan.Rewrite(t.trunk.ID, flows.OutboundFrom, who.number)
	from, told := sip.Party{User: number, Display: who.display}, sip.Identity{Withheld: who.withheld}
	if who.withheld {
		from = sip.Anonymous
	}
	if policy.PAI && (!who.withheld || policy.Privacy == flows.PrivacyPass && isNumber(who.number)) {
		told.Asserted = sip.Party{User: number, Display: who.display}
	}
	if stations := c.stations(h.act, t.forwarder); len(stations) > 0 {
		if policy.Diversion {
			told.Diversion = stations
		}
		if policy.HistoryInfo {
			told.History = stations
		}
	}
	return from, told
}

// by applies a trunk's policy. A number that is not the caller's is nothing that
// the caller could withhold.
func (c *Call) by(policy flows.CallerID, who identity) identity {
	switch policy.From {
	case flows.FromOriginal:
	case flows.FromFlowNumber:
		if own := c.ownNumber(); own != "" {
			return identity{number: own}
		}
	default:
		return identity{number: policy.From}
	}
	return who
}

// presentable reports whether a trunk can be shown who calls.
func (c *Call) presentable(a *act, t *flows.Trunk) bool {
	who := c.shown(a)
	return who.withheld || isNumber(who.number) || isNumber(t.Identity().From)
}

// ownNumber is the number of ours that the call is about: the one that was
// called, or that of the device which calls.
func (c *Call) ownNumber() string {
	if _, owned := c.plan.Lookup(c.record.To); owned && isNumber(c.record.To) {
		return c.record.To
	}
	if d := c.plan.Device(c.record.Device); d != nil {
		return d.Number
	}
	return ""
}

func isNumber(s string) bool {
	_, err := flows.ParseNumber(s)
	return err == nil
}

// maxDiversions is how often a call may be sent on, here and before it came here
// (RFC 5806 leaves the number to us): more is a loop.
const maxDiversions = 10

// stations are those who sent the call on, up to and with us.
func (c *Call) stations(a *act, forwarder *flows.Device) []sip.Diversion {
	var list []sip.Diversion
	for _, d := range c.record.Diversions {
		list = append(list, sip.Diversion{Number: d.Number, Reason: d.Reason})
	}
	list = append(list, c.ownStations(a, forwarder)...)
	return list[max(0, len(list)-maxDiversions):]
}

// ownStations are the number of ours that was called, and the device whose phone
// sent the call further.
func (c *Call) ownStations(a *act, forwarder *flows.Device) (list []sip.Diversion) {
	if c.forwards(a) {
		list = append(list, sip.Diversion{Number: c.record.To, Reason: diversionReason(c.missed)})
	}
	if forwarder != nil && forwarder.Number != "" && forwarder.Number != c.record.To {
		list = append(list, sip.Diversion{Number: forwarder.Number, Reason: "unconditional"})
	}
	return list
}

// forwards reports whether a call to a number of ours is sent on, rather than
// placed by a device.
func (c *Call) forwards(a *act) bool {
	_, owned := c.plan.Lookup(c.record.To)
	return owned && (a == nil || a.outward == nil)
}

// diversionReason says in the words of RFC 5806 why a call goes on after what
// became of the party dialled before.
func diversionReason(missed flows.Result) string {
	switch missed {
	case flows.Busy:
		return "user-busy"
	case flows.NoAnswer:
		return "no-answer"
	case flows.Unavailable:
		return "unavailable"
	case flows.Rejected:
		return "deflection"
	}
	return "unconditional"
}
