package call

import (
	"maps"
	"time"

	"b2bua/events"
	"b2bua/flows"
)

// tell publishes a fact of this call: the head is filled in here, so that the
// sequence is counted in one place. On the loop only.
func (c *Call) tell(f events.Fact, at time.Time) {
	c.sequence++
	*f.Header() = events.Head{
		CallID:       c.record.CallID,
		Sequence:     c.sequence,
		CallFlowID:   c.record.CallFlowID,
		FlowRevision: c.record.FlowRevision,
		Tags:         maps.Clone(c.record.Tags),
	}
	c.sys.Bus.Publish(events.New(f, at))
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
