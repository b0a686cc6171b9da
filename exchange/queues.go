package exchange

import (
	"context"

	"b2bua/call"
	"b2bua/flows"
	"b2bua/queue"
)

// newQueues makes the queues and lets them follow the plan. It comes after the
// calls, which it asks who is busy.
func (x *Exchange) newQueues() {
	x.queues = queue.NewHall(queue.Deps{
		Bus: x.bus, Keeper: x.store, Log: x.log,
		KeyOf: func(m flows.QueueMember) string {
			return call.Person(x.store.Plan(), m.DestinationType, m.Destination)
		},
		Presence: x.system.Presence,
		CallBack: func(_ context.Context, b queue.Back) string {
			if x.draining.Load() {
				return "the switch is stopping"
			}
			return x.system.CallBack(x.calling, b)
		},
	}, x.store.Plan())
	x.system.Queues = x.queues
	x.calls.OnFree(x.queues.Roster.Freed)
	x.store.OnPlan(x.queues.Planned)
}
