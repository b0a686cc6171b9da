package flows

import (
	"maps"
	"sync"
)

// With is the plan as it would be with f in the place of the flow of its id, or
// beside the others. Which numbers lead to which flow stays as it is: it is for
// trying f out.
func (p *Plan) With(f *CallFlow) *Plan {
	next := *p
	next.warned, next.presenters = new(sync.Map), new(presenters)
	next.flows = maps.Clone(p.flows)
	next.flows[f.ID] = p.compile(f)
	return &next
}
