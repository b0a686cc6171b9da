package call

import (
	"context"

	"b2bua/events"
	"b2bua/flows"
)

// Transfer connects the caller somewhere else, by bridging inside: the trunk
// needs to know nothing of it. It waits until the new party has answered or
// could not be reached. Who the caller talked to before is released.
func (c *Call) Transfer(ctx context.Context, r TransferRequest) (TransferResult, error) {
	if r.DestinationType == "" {
		r.DestinationType = flows.ToNumber
	}
	if r.TransferType == "" {
		r.TransferType = "blind"
	}
	out := make(chan TransferResult, 1)
	err := c.command(ctx, func() error {
		c.takeOver(c.transferAct(r, out))
		return nil
	})
	if err != nil {
		return TransferResult{}, err
	}
	select {
	case result := <-out:
		return result, nil
	case <-ctx.Done():
		return TransferResult{}, context.Cause(ctx)
	}
}

// transferAct is what the flow's goroutine does for a transfer.
func (c *Call) transferAct(r TransferRequest, out chan<- TransferResult) *act {
	a := &act{callerID: r.CallerID, controlled: c.controlled()}
	a.report = func(t TransferResult) {
		out <- t
		now := c.now()
		c.tell(&events.Transferred{
			Destination: r.Destination, DestinationType: string(r.DestinationType), TransferType: r.TransferType,
			Result: t.Result, SIPCode: t.SIPCode, SIPReason: t.SIPReason, TransferredAt: now,
		}, now)
	}
	env := c.env
	env.Caller = &seat{call: c, act: a}
	rule := flows.Rule{Pattern: "*", Destination: r.Destination, DestinationType: r.DestinationType, Fallback: r.Fallback}
	a.run = func(ctx context.Context) flows.Ending {
		e := flows.RunDestination(ctx, env, rule)
		switch {
		case !e.Failed:
		case a.controlled: // the application has failed to connect, and decides again
			_ = c.loop.Call(context.Background(), func() {
				a.told(TransferResult{Result: string(e.Last.Result), SIPCode: e.Last.SIPCode, SIPReason: e.Last.SIPReason})
			})
			e.Last = c.awaitCommands(ctx, a, 0)
		default:
			env.Caller.Apologise(ctx, e.Last)
		}
		return e
	}
	return a
}

// controlled reports whether an application decides what the call does, now or
// before what it asked for has come to an end.
func (c *Call) controlled() bool {
	return c.control.active || c.act != nil && c.act.controlled || c.next != nil && c.next.controlled
}
