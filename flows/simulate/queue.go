package simulate

import (
	"context"
	"time"

	"b2bua/events"
	"b2bua/flows"
)

// waiting is how long a simulated caller waits for a member who answers.
const waiting = 20 * time.Second

// Queue lets the caller wait. What comes of it is in the table, by the id of the
// queue; else a queue without members is empty, the exit key of a caller who
// presses it leads out, and somebody answers everybody else.
func (c *caller) Queue(_ context.Context, r flows.QueueRequest) flows.Outcome {
	q := r.Queue
	o := c.exits(r)
	began := c.now
	leave := func(result, member string) {
		c.tell(&events.Dequeued{QueueID: q.ID, EntryID: "qe_simulated", Result: result, Position: 1,
			Wait: events.Seconds(c.now.Sub(began)), Member: member, DequeuedAt: c.now})
	}
	if o.Result == flows.QueueFull || o.Result == flows.QueueEmpty && !q.JoinWhenEmpty {
		leave(string(o.Result), "")
		return o
	}
	if r.Group {
		c.ring()
	} else {
		c.answer(q.ID)
	}
	c.tell(&events.Queued{QueueID: q.ID, EntryID: "qe_simulated", Position: 1, QueuedAt: c.now})
	switch o.Result {
	case flows.Gone:
		c.pass(waiting)
		leave("abandoned", "")
		return c.leave()
	case flows.Connected:
		c.pass(min(waiting, r.MaxWait))
		member := ""
		if len(q.Members) > 0 {
			member = q.Members[0].Destination
		}
		leave(string(flows.Connected), member)
		c.answer(member)
		c.tell(&events.Bridged{BridgedTo: member, BridgedAt: c.now})
		c.pass(talking)
		c.talked = true
		return flows.Outcome{Result: flows.Connected}
	case flows.QueueExit:
		c.pass(waiting)
	case flows.QueueTimeout:
		c.pass(r.MaxWait)
	default:
		c.pass(refusing)
	}
	result := string(o.Result)
	if o.Result == flows.Failed {
		result = "error"
	}
	leave(result, "")
	return o
}

// exits is what comes of a queue.
func (c *caller) exits(r flows.QueueRequest) flows.Outcome {
	q := r.Queue
	_, told := c.given.Outcomes[q.ID]
	if _, any := c.given.Outcomes["*"]; told || any {
		return c.outcome(q.ID)
	}
	switch {
	case len(q.Members) == 0 && !q.JoinWhenEmpty:
		return flows.Outcome{Result: flows.QueueEmpty}
	case q.ExitKey != "" && c.keys == "" && len(c.script) > 0 && c.script[0] == q.ExitKey:
		c.script = c.script[1:]
		return flows.Outcome{Result: flows.QueueExit}
	case len(q.Members) == 0:
		return flows.Outcome{Result: flows.QueueTimeout}
	}
	return flows.Outcome{Result: flows.Connected}
}
