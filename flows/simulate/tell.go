package simulate

import (
	"maps"

	"b2bua/events"
	"b2bua/flows"
)

// tell is what webhooks would be told.
func (c *caller) tell(f events.Fact) {
	c.sequence++
	*f.Header() = events.Head{CallID: CallID, Sequence: c.sequence, Tags: maps.Clone(c.tags)}
	if c.flow != nil {
		f.Header().CallFlowID, f.Header().FlowRevision = c.flow.ID, c.flow.Revision
	}
	c.events = append(c.events, events.New(f, c.now))
}

func (c *caller) ring() {
	if c.rang || c.answered() {
		return
	}
	c.rang = true
	c.tell(&events.Ringing{RingingAt: c.now})
}

func (c *caller) answer(by string) {
	if c.answered() {
		return
	}
	c.answeredAt, c.by = c.now, by
	c.tell(&events.Answered{AnsweredBy: by, AnsweredAt: c.now})
}

// Tag adds tags to the call.
func (c *caller) Tag(tags map[string]string) {
	if c.tags == nil {
		c.tags = map[string]string{}
	}
	maps.Copy(c.tags, tags)
}

// Routed tells which way the call was sent.
func (c *caller) Routed(r flows.Routing) {
	if c.over {
		return
	}
	c.last = r
	c.taken = append(c.taken, r)
	c.tell(&events.Routed{RuleIndex: r.RuleIndex, Pattern: r.Pattern, Destination: r.Destination,
		DestinationType: string(r.DestinationType), Because: r.Because})
}

// Note adds a step to the trace.
func (c *caller) Note(s flows.Step) {
	if c.over {
		return
	}
	s = s.Told()
	s.At = events.Moment(s.At)
	c.steps = append(c.steps, s)
}
