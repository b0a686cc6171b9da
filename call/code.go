package call

import (
	"context"

	"b2bua/flows"
	"b2bua/queue"
)

// Code changes what a device does in all queues, as its phone has dialled.
type Code struct {
	Person string
	Change queue.Change
}

// code carries it out and says so.
func (c *Call) code(ctx context.Context, s *seat, code Code) flows.Ending {
	n, err := c.sys.Queues.ChangeAll(ctx, code.Person, code.Change)
	text := "You are a member of no queue."
	switch in, paused := code.Change.LoggedIn, code.Change.Paused; {
	case err != nil:
		c.log.Error("change a member of queues", "err", err)
		text = "That did not work. Please try again."
	case n == 0:
	case in != nil && *in:
		text = "You are logged in."
	case in != nil:
		text = "You are logged out."
	case paused != nil && *paused:
		text = "You are paused."
	default:
		text = "You are no longer paused."
	}
	return flows.Ending{Reason: flows.EndCompleted, Last: s.Say(ctx, text, flows.DefaultLanguage)}
}
