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
	timer  *loop.Timer
	late   chan struct{} // closed when nobody took the call in time
}

// awaitCommands lets the call ring for API control. It comes back when the call
// is over or taken over (Gone), or when nothing answered it in time (NoAnswer);
// once answered it waits as long as the call lives.
func (c *Call) awaitCommands(ctx context.Context, timeout time.Duration) flows.Outcome {
	if timeout <= 0 {
		timeout = c.sys.ApplicationWait
	}
	late := make(chan struct{})
	err := c.loop.Call(ctx, func() {
		c.ring()
		c.control = control{active: true, late: late}
		if !c.caller.answered {
			c.control.timer = c.loop.After(timeout, func() { close(late) })
		}
	})
	if err != nil {
		return gone
	}
	defer c.loop.Post(c.leaveControl)
	select {
	case <-late:
		return flows.Outcome{Result: flows.NoAnswer, Detail: "no command took the call in time"}
	case <-ctx.Done():
		return gone
	}
}

// leaveControl ends the waiting. On the loop.
func (c *Call) leaveControl() {
	c.control.timer.Stop()
	c.control = control{}
}
