package call

import (
	"context"
	"time"

	"b2bua/flows"
	"b2bua/internal/loop"
)

// control is the state of a call that waits for API commands.
type control struct {
	active bool
	timer  *loop.Timer // runs until the first command
}

// awaitCommands lets the call ring for API control. It comes back when the call
// is over or taken over (Gone), or when no command came in time (NoAnswer); after
// the first command it waits as long as the call lives.
func (c *Call) awaitCommands(ctx context.Context, a *act, timeout time.Duration) flows.Outcome {
	if timeout <= 0 {
		timeout = c.sys.ApplicationWait
	}
	late := make(chan struct{})
	err := c.loop.Call(ctx, func() {
		if ctx.Err() != nil {
			return
		}
		c.ring()
		c.ringback()
		c.control = control{active: true, timer: c.loop.After(timeout, func() { close(late) })}
		a.controlled = true
		a.told(TransferResult{Result: string(flows.Connected)})
	})
	if err != nil {
		return gone
	}
	defer func() { _ = c.loop.Call(context.Background(), c.leaveControl) }()
	select {
	case <-late:
		return flows.Outcome{Result: flows.NoAnswer, Detail: "no command took the call in time"}
	case <-ctx.Done():
		return gone
	}
}

// commanded: an application has taken the call. On the loop.
func (c *Call) commanded() {
	if c.control.active {
		c.control.timer.Stop()
		c.silence()
	}
}

// leaveControl ends the waiting. On the loop.
func (c *Call) leaveControl() {
	c.commanded()
	c.control = control{}
}
