package call

import (
	"context"

	"b2bua/events"
	"b2bua/flows"
)

// Transfer connects the caller somewhere else, by bridging inside: the trunk
// needs to know nothing of it. It waits until the new party has answered or
// could not be reached. Whom the caller talked to before is released when the new
// party has answered, and talks on with the caller when nobody has; with a fallback,
// or outside of a conversation, the caller goes where that leads. An attended
// transfer is told in consult.go.
func (c *Call) Transfer(ctx context.Context, r TransferRequest) (TransferResult, error) {
	if r.DestinationType == "" {
		r.DestinationType = flows.ToNumber
	}
	if r.TransferType == "" {
		r.TransferType = "blind"
	}
	out := make(chan TransferResult, 1)
	err := c.command(ctx, func() error {
		switch attended := r.TransferType == "attended"; {
		case c.transfer.attending():
			return c.consulting("transfer")
		case attended && c.talking():
			c.consult(r, out)
		case attended:
			c.takeOver(c.attended(r, out))
		case r.Fallback == nil && c.talking():
			c.transferTalk(r, out)
		default:
			c.takeOver(c.transferAct(r, out))
		}
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
	a := c.transferring(r.fact(), func(t TransferResult) { out <- t })
	a.callerID = r.CallerID
	env := c.env
	env.Caller = &seat{call: c, act: a}
	rule := r.rule()
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

// transferTalk transfers the caller out of a conversation: who he talks to waits,
// and gets him back when nobody takes him.
func (c *Call) transferTalk(r TransferRequest, out chan<- TransferResult) {
	t := &transfer{rule: r.rule(), act: c.transferring(r.fact(), func(t TransferResult) { out <- t })}
	t.act.callerID = r.CallerID
	c.handOn(t)
}

func (r TransferRequest) rule() flows.Rule {
	return flows.Rule{Pattern: "*", Destination: r.Destination, DestinationType: r.DestinationType, Fallback: r.Fallback}
}

func (r TransferRequest) fact() events.Transferred {
	return events.Transferred{
		Destination: r.Destination, DestinationType: string(r.DestinationType), TransferType: r.TransferType, By: byAPI,
	}
}

// controlled reports whether an application decides what the call does, now or
// before what it asked for has come to an end.
func (c *Call) controlled() bool {
	return c.control.active || c.act != nil && c.act.controlled || c.next != nil && c.next.controlled
}
