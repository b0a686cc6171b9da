package call

import (
	"context"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/sip"
)

// referred is a REFER of one of the parties (RFC 3515): the other one is to be
// connected elsewhere. What it may ask for is what it may dial. On the loop.
func (c *Call) referred(l *leg, ev sip.Referred) {
	rule, code := c.referral(l, ev.To)
	if code != 0 {
		c.log.Info("transfer refused", "leg", l.name, "did", ev.To.User, "sip_code", code)
		l.sig.RefuseRefer(code)
		return
	}
	t := &transfer{rule: rule}
	f := events.Transferred{
		Destination: rule.Destination, DestinationType: string(rule.DestinationType), TransferType: "blind", By: c.sideOf(l),
	}
	l.sig.AcceptRefer()
	if ev.To.Replaces != nil {
		if t.join = c.joining(l, *ev.To.Replaces); t.join == nil {
			// The REFER itself was sound: 481 to it would end the dialog (RFC 5057 §5.1).
			l.sig.NotifyRefer(481, "Call/Transaction Does Not Exist")
			return
		}
		f.TransferType, f.Destination, f.DestinationType = "attended", t.join.call.id, "call"
	}
	if l == c.caller {
		c.changeSeats()
	}
	t.act = c.transferring(f, func(r TransferResult) { l.sig.NotifyRefer(r.status()) })
	if rule.DestinationType == flows.ToNumber {
		t.act.outward = c.plan.Device(l.account.device)
	}
	t.act.progress = func(code int, text string) { l.sig.NotifyRefer(code, text) }
	c.handOn(t)
}

// referral decides on a REFER; code refuses it.
func (c *Call) referral(l *leg, to sip.ReferTo) (rule flows.Rule, code int) {
	d := c.plan.Device(l.account.device)
	if d == nil && !c.mayRefer(l.account.trunk) {
		return rule, 603
	}
	switch {
	case !c.talking() && (c.transfer != nil || c.gather != nil):
		return rule, 491
	case !c.talking() || c.across(l) == nil:
		return rule, 403 // there is nobody to be transferred
	case to.Replaces != nil:
		return rule, 0
	case !to.Ours:
		return rule, 403 // calls leave by our trunks or not at all
	}
	return c.sys.Destination(c.plan, d, to.User)
}

// mayRefer reports whether a trunk may transfer calls.
func (c *Call) mayRefer(trunk string) bool {
	t := c.plan.Trunk(trunk)
	return t != nil && t.AllowRefer
}

// status is what the transferor is told. A challenge is nobody else's business.
func (r TransferResult) status() (code int, text string) {
	switch {
	case r.Result == string(flows.Connected):
		return 200, "OK"
	case r.Result == string(flows.Gone):
		return 487, "Request Terminated"
	case r.SIPCode >= 300 && r.SIPCode != 401 && r.SIPCode != 407:
		return r.SIPCode, r.SIPReason
	}
	return flows.Result(r.Result).ToCaller()
}

// joining is an attended transfer (RFC 5589 section 7): the transferor has
// another call, whose other party the caller gets.
type joining struct {
	call *Call
	leg  string // the transferor's there
	who  account
}

// joining finds the call that r names; nil when it is not there.
func (c *Call) joining(l *leg, r sip.Replaces) *joining {
	id, ok := c.sys.SIP.Dialog(r)
	if !ok {
		return nil
	}
	other, ok := c.sys.Calls.byLeg(id)
	if !ok || other == c {
		return nil
	}
	return &joining{call: other, leg: id, who: l.account}
}

// joined asks the other call for its party and lets the caller talk to it. On
// the flow's goroutine.
func (s *seat) joined(ctx context.Context, t *transfer) flows.Outcome {
	c := s.call
	var got *leg
	_ = t.join.call.loop.Call(context.Background(), func() { got = t.join.call.giveUp(t.join.leg, t.join.who, c) })
	return s.converse(ctx, func(done func(flows.Outcome)) *hunt {
		if got != nil && got.over { // hung up on the way here
			c.drop(got)
			got = nil
		}
		if got == nil {
			return s.transferOver(t, true, flows.Outcome{
				Result: flows.Failed, SIPCode: 481, SIPReason: "Call/Transaction Does Not Exist",
			}, done)
		}
		c.legs = append(c.legs, got)
		if c.transfer != t { // the call has ended meanwhile, or is wanted elsewhere
			got.hangup(sip.Reason{})
			c.drop(got)
			done(gone)
			return nil
		}
		s.transferOver(t, false, flows.Outcome{Result: flows.Connected, SIPCode: 200, SIPReason: "OK"}, func(flows.Outcome) {})
		return c.resume(s.act, got, c.attemptJoined(got), done)
	})
}

// attemptJoined opens an entry for somebody who came from another call.
func (c *Call) attemptJoined(l *leg) int {
	i := c.attempt(l.reach, target{via: l.account.device + l.account.trunk})
	c.record.Attempts[i].SIPCallID = l.sig.CallID()
	c.attemptAnswered(i)
	return i
}

// giveUp hands the party that the leg with this id talks to over to another
// call, and ends this one; nil when there is none, or when the leg is somebody
// else's. On the loop.
func (c *Call) giveUp(id string, who account, to *Call) *leg {
	if !c.talking() {
		return nil
	}
	var leaves *leg
	for _, l := range []*leg{c.caller, c.peer} {
		if l.sig.ID() == id && l.account == who {
			leaves = l
		}
	}
	if leaves == nil {
		return nil
	}
	if leaves == c.peer {
		c.changeSeats()
	}
	l := c.peer
	if l.reach.Type == "" {
		l.reach = c.backTo(l)
	}
	c.disconnect()
	c.attemptEnded(c.hunt.talk.attempt)
	c.hunt.prongs = nil
	c.legs = without(c.legs, l)
	l.leaves(to)
	c.note(flows.Step{Kind: "transfer", Text: l.name + " is handed over to call " + to.id})
	c.end(ending{reason: endTransferred, source: bySystem, why: sip.Reason{Protocol: "SIP", Cause: 200, Text: "Call transferred"}})
	return l
}

// endTransferred is how a call ends whose parties go on in another one.
const endTransferred = "transferred"
