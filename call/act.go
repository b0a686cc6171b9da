package call

import (
	"context"
	"errors"

	"b2bua/flows"
	"b2bua/sip"
)

// act is one thing the flow's goroutine does: run the flow, or one destination
// that the API asked for.
type act struct {
	run        func(ctx context.Context) flows.Ending
	controlled bool                        // an application asked for it, and decides again when it fails
	callerID   string                      // shown to far ends instead of the caller's own number
	music      bool                        // the caller hears music until somebody answers, not ringing
	outward    *flows.Device               // on whose permission it leads outside; nil: a flow's or the API's
	report     func(TransferResult)        // told once how the first destination came out; may be nil
	progress   func(code int, text string) // told how the far ends proceed; may be nil
}

// progressed tells that a far end rings.
func (a *act) progressed(code int, text string) {
	if a.progress != nil {
		a.progress(code, text)
	}
}

// told reports the outcome of the act's first destination, once. On the loop.
func (a *act) told(r TransferResult) {
	if a == nil || a.report == nil {
		return
	}
	a.report(r)
	a.report = nil
}

// firstAct is what a new call does: its flow, the destination it was sent to
// directly, or, for a number without a flow, to wait for the API.
func (c *Call) firstAct(in Inbound) *act {
	a := &act{outward: in.Outward}
	env := flows.Env{Plan: c.plan, Flow: in.Flow, Now: c.sys.Now, Caller: &seat{call: c, act: a}}
	env.Call = flows.Call{
		ID: c.id, From: in.From, FromDisplay: in.Display, To: in.To,
		Anonymous: in.Invitation.Anonymous, At: c.began,
		Verstat: in.Invitation.Verstat, Attestation: in.Invitation.Attestation,
	}
	if in.Invitation.Anonymous {
		env.Call.FromDisplay = "" // RFC 3323 section 4.1: the name is part of the identity
	}
	c.env = env
	a.run = func(ctx context.Context) flows.Ending { return flows.Run(ctx, env) }
	if in.Code != nil {
		a.run = func(ctx context.Context) flows.Ending { return c.code(ctx, &seat{call: c, act: a}, *in.Code) }
	}
	if in.Direct != nil {
		rule := *in.Direct
		a.run = func(ctx context.Context) flows.Ending { return flows.RunDestination(ctx, env, rule) }
	}
	return a
}

// takeAct waits for the loop and takes what is to be done next; nil when the
// call has ended.
func (c *Call) takeAct() (a *act, ctx context.Context) {
	_ = c.loop.Call(context.Background(), func() {
		if c.ending != nil || c.next == nil {
			return
		}
		a, c.next = c.next, nil
		c.act = a
		ctx, c.interim = context.WithCancelCause(context.Background())
	})
	return a, ctx
}

// actOver is told by the flow's goroutine that an act has come to its end. If
// nothing else was asked for meanwhile, the call ends with it.
func (c *Call) actOver(a *act, e flows.Ending) {
	_ = c.loop.Call(context.Background(), func() {
		c.interim(nil)
		c.act = nil
		a.told(TransferResult{Result: string(e.Last.Result), SIPCode: e.Last.SIPCode, SIPReason: e.Last.SIPReason})
		if c.ending == nil && c.next == nil {
			end := fromFlow(e, c.leftBy)
			if e.Last.Result == flows.Rejected && end.code == 486 && c.sys.DeclinedCode == 603 {
				end.code, end.text = 603, "Decline"
			}
			end.why = c.leftWhy
			c.end(end)
		}
	})
}

// takeOver replaces what the flow does by a: the present act is cancelled and
// whoever the caller talks to is released. On the loop.
func (c *Call) takeOver(a *act) {
	c.next.abandon()
	c.next, c.leftBy, c.leftWhy = a, "", sip.Reason{}
	c.unhold(byAPI)
	c.hunt.release(sip.Reason{})
	c.waits.release(sip.Reason{})
	c.transfer.abandon()
	c.gather.stop(errTakenOver)
	c.stopPlay(reasonInterrupted)
	if c.interim != nil {
		c.interim(errTakenOver)
	}
}

// errTakenOver ends what the flow does when the API wants something else.
var errTakenOver = errors.New("the call was taken over")

// abandon tells an act that never began that it will not.
func (a *act) abandon() {
	a.told(TransferResult{Result: string(flows.Gone)})
}
