package call

import (
	"maps"
	"time"

	"b2bua/events"
	"b2bua/flows"
)

// tell publishes a fact of this call: the head is filled in here, so that the
// sequence is counted in one place. On the loop only.
func (c *Call) tell(f events.Fact, at time.Time) { c.tellAs("", f, at) }

// tellAs is tell for an event that has its id already; "" makes one.
func (c *Call) tellAs(id string, f events.Fact, at time.Time) {
	c.sequence++
	*f.Header() = c.head(c.sequence)
	e := events.New(f, at)
	if id != "" {
		e.ID = id
	}
	c.sys.Bus.Publish(e)
}

// head is the head of the event with this number. On the loop only.
func (c *Call) head(sequence int) events.Head {
	return events.Head{
		CallID:       c.record.CallID,
		Sequence:     sequence,
		CallFlowID:   c.record.CallFlowID,
		FlowRevision: c.record.FlowRevision,
		Tags:         maps.Clone(c.record.Tags),
	}
}

// note adds a step to the trace. On the loop only.
func (c *Call) note(s flows.Step) {
	if s.At.IsZero() {
		s.At = c.now()
	}
	if len(c.steps) < maxSteps {
		c.steps = append(c.steps, s)
	}
}

// maxSteps bounds what a trace may take: a caller who presses keys in a menu
// for hours must not fill the memory.
const maxSteps = 2000

// now is the wall clock, for records and events; timers use the loop.
func (c *Call) now() time.Time { return events.Moment(c.sys.Now()) }
