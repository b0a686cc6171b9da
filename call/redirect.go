package call

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"b2bua/flows"
	"b2bua/sip"
)

// maxRedirects is how many 3xx are followed for one call.
const maxRedirects = 5

// onward goes where a 3xx points, at once, whoever else still rings.
func (h *hunt) onward(p *prong, o flows.Outcome, contacts []string) {
	rounds, other, why := h.redirected(p.target, contacts)
	if len(rounds) == 0 && other == nil {
		o.Detail = why
	}
	h.failed(p, o)
	if other != nil {
		h.sentOn(*other)
		return
	}
	if len(rounds) > 0 {
		for _, t := range rounds[0] {
			h.try(t)
		}
		h.rounds = append(rounds[1:], h.rounds...)
	}
	h.nextRound()
}

// ourNumber is a number of ours, and the flow that takes its calls.
type ourNumber struct {
	flow   *flows.CallFlow // nil: the API does
	number string
}

// rule leads there.
func (o ourNumber) rule() flows.Rule {
	if o.flow == nil {
		return flows.Rule{Pattern: "*", DestinationType: flows.ToApplication}
	}
	return flows.Rule{Pattern: "*", Destination: o.flow.ID, DestinationType: flows.ToFlow}
}

// sentOn lets a number of ours have the caller. Who asked for the call is told what
// comes of it there. In a transfer out of a conversation it takes the place of whom
// the transfer was to: so the other party waits, and has the caller back when
// nobody takes him there.
func (h *hunt) sentOn(to ourNumber) {
	c := h.call
	if t := c.transfer; t != nil && t.act == h.act {
		t.sentOn = &to
		h.giveUp(flows.Outcome{Result: flows.Gone, Detail: "redirected to " + to.number}, sip.Reason{})
		h.finish(flows.Outcome{Result: handedOn})
		return
	}
	other := c.flowAct(to.flow, to.number)
	other.report, other.progress, h.act.report = h.act.report, h.act.progress, nil
	c.takeOver(other)
}

// redirected follows a 3xx (RFC 3261 section 8.1.3.4), but only to where the one
// who sent it may send a call: a call that goes where a far end likes is what
// toll fraud lives on. It returns the rounds to try instead, or the number of
// ours that takes the call over, or says why neither.
func (h *hunt) redirected(t target, contacts []string) (rounds [][]target, other *ourNumber, why string) {
	if h.call.redirects >= maxRedirects {
		return nil, nil, "redirected too often"
	}
	why = "redirected to nobody"
	defer func() {
		if len(rounds) > 0 || other != nil {
			h.call.redirects++
		}
	}()
	for _, uri := range contacts {
		contact, ok := sip.ParseContact(uri)
		if !ok || contact.User == "" {
			why = "redirected to what cannot be called"
			continue
		}
		found, other, refused := h.follow(t, contact)
		if found = h.untried(found); refused == "" && other == nil && len(found) == 0 {
			refused = "a loop"
		}
		if refused != "" {
			why = fmt.Sprintf("redirected to %s: %s", contact.User, refused)
			h.call.note(flows.Step{Kind: flows.StepOutcome, Text: why})
			continue
		}
		if other != nil {
			if len(rounds) == 0 {
				return nil, other, ""
			}
			continue
		}
		for _, round := range found {
			for i := range round {
				round[i].redirected = contact.User
			}
		}
		rounds = append(rounds, found...)
	}
	return rounds, nil, why
}

// follow finds what a target may be redirected to.
func (h *hunt) follow(t target, to sip.Contact) (rounds [][]target, other *ourNumber, refused string) {
	switch {
	case t.trunk != nil:
		rounds, refused = h.followTrunk(t, to)
		return rounds, nil, refused
	case t.device != nil:
		return h.followDevice(t, to)
	}
	return nil, nil, "nobody vouches for the one who says so"
}

// followTrunk: a trunk that is believed may name a number, to be called by the
// same trunk, or an address that belongs to a trunk.
func (h *hunt) followTrunk(t target, to sip.Contact) (rounds [][]target, refused string) {
	c := h.call
	if !t.trunk.FollowRedirects {
		return nil, "the trunk's redirects are not followed"
	}
	by, uri := t.trunk, t.trunk.Outbound.Address()
	if to.Host != "" {
		if by = trunkAt(c.plan, to.Host); by == nil {
			return nil, "its host belongs to no trunk"
		}
		uri = contactURI(to, by.Outbound)
	}
	if t.outward != nil && !t.outward.MayDial(flows.E164(c.plan.Rewrite(by.ID, flows.InboundTo, to.User))) {
		return nil, "the device that calls may not dial it"
	}
	next := c.trunkTarget(by, uri, to.User)
	next.outward, next.forwarder = t.outward, t.forwarder
	return [][]target{{next}}, ""
}

// followDevice: the owner of a phone may send calls to colleagues, to numbers of
// ours, and to those outside that the device may dial itself. The host does not
// count: nothing is sent there.
func (h *hunt) followDevice(t target, to sip.Contact) (rounds [][]target, other *ourNumber, refused string) {
	c, number := h.call, flows.E164(to.User)
	colleague := c.plan.DeviceByUsername(to.User)
	if colleague == nil {
		colleague = c.plan.DeviceByNumber(number)
	}
	if colleague != nil {
		rounds, none := c.deviceTargets(colleague)
		if len(rounds) == 0 {
			return nil, nil, none.Detail
		}
		return rounds, nil, ""
	}
	if flow, owned := c.plan.Lookup(number); owned {
		if c.transfer.attending() {
			return nil, nil, "somebody waits for the one who called"
		}
		return nil, &ourNumber{flow, number}, ""
	}
	if !t.device.MayDial(number) {
		return nil, nil, "the device may not dial it"
	}
	rounds, none := c.trunkTargets(number, &act{outward: h.act.outward, callerID: h.act.callerID}, t.device)
	if len(rounds) == 0 {
		return nil, nil, none.Detail
	}
	return rounds, nil, ""
}

// flowAct runs the flow of another number of ours.
func (c *Call) flowAct(flow *flows.CallFlow, number string) *act {
	a := &act{controlled: c.controlled()}
	env := c.env
	env.Flow, env.Call.To, env.Caller = flow, number, &seat{call: c, act: a}
	a.run = func(ctx context.Context) flows.Ending { return flows.Run(ctx, env) }
	return a
}

// untried leaves out what this hunt has dialled before: a loop.
func (h *hunt) untried(rounds [][]target) (fresh [][]target) {
	for _, round := range rounds {
		var left []target
		for _, t := range round {
			if !h.tried[t.key()] {
				left = append(left, t)
			}
		}
		if len(left) > 0 {
			fresh = append(fresh, left)
		}
	}
	return fresh
}

// key tells targets apart: a device with two phones is one.
func (t target) key() string {
	return strings.Join([]string{t.via, t.dial.To, t.dial.Target.URI}, "|")
}

// trunkAt is the trunk with a way out to which a host belongs, or nil.
func trunkAt(plan *flows.Plan, host string) *flows.Trunk {
	host = strings.Trim(host, "[]")
	if addr, err := netip.ParseAddr(host); err == nil {
		if t, ok := plan.TrunkBySource(addr); ok && t.Outbound != nil {
			return t
		}
	}
	for _, t := range plan.Trunks() {
		if t.Outbound == nil {
			continue
		}
		if at, ok := sip.ParseContact(t.Outbound.URI); ok && strings.EqualFold(strings.Trim(at.Host, "[]"), host) {
			return t
		}
		for _, one := range t.Hosts {
			if strings.EqualFold(one, host) {
				return t
			}
		}
	}
	return nil
}

// contactURI is made anew: of what a far end wrote only the address goes on, by
// the trunk's transport where it names none. What is encrypted stays so.
func contactURI(to sip.Contact, o *flows.TrunkOutbound) string {
	transport := to.Transport
	if own, ok := sip.ParseContact(o.Address()); !ok || own.Transport == "tls" { // a sips URI is no contact
		transport = "tls"
	} else if transport == "" {
		transport = own.Transport
	}
	host := strings.Trim(to.Host, "[]")
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if to.Port != 0 {
		host += ":" + strconv.Itoa(to.Port)
	}
	if transport == "udp" || transport == "tcp" || transport == "tls" {
		host += ";transport=" + transport
	}
	return "sip:" + host
}
