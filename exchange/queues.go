package exchange

import (
	"context"

	"b2bua/api"
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
		CallBack: func(ctx context.Context, b queue.Back) string {
			select {
			case <-x.sip.Ready(): // there may be some to call from before a restart
			case <-ctx.Done():
			}
			if x.draining.Load() || ctx.Err() != nil {
				return "the switch is stopping"
			}
			return x.system.CallBack(x.calling, b)
		},
	}, x.store.Plan())
	x.system.Queues = x.queues
	x.calls.OnFree(x.queues.Roster.Freed)
	x.store.OnPlan(x.queues.Planned)
}

// queueCodes are what phones dial to change what their device does in all queues.
var queueCodes = map[string]queue.Change{
	"*50": {LoggedIn: tells(true)}, "*51": {LoggedIn: tells(false)},
	"*52": {Paused: tells(true)}, "*53": {Paused: tells(false)},
}

func tells(b bool) *bool { return &b }

// queueFamilies are the metrics of queues.
func (x *Exchange) queueFamilies() []api.Family {
	of := func(name, help string, value func(queue.Figures) float64) api.Family {
		return api.Family{Name: name, Help: help, Label: "queue", Values: func() map[string]float64 {
			values := map[string]float64{}
			for id, f := range x.queues.AllFigures(x.calling) {
				values[id] = value(f)
			}
			return values
		}}
	}
	return []api.Family{
		of("b2bua_queue_waiting", "Callers in line.", func(f queue.Figures) float64 { return float64(f.Waiting) }),
		of("b2bua_queue_longest_waiting_seconds", "How long the first of them has waited.", func(f queue.Figures) float64 { return f.LongestNow }),
		of("b2bua_queue_members_ready", "Members who are logged in and not paused.", func(f queue.Figures) float64 { return float64(f.Ready) }),
		of("b2bua_queue_members_talking", "Members who talk to callers.", func(f queue.Figures) float64 { return float64(f.Talking) }),
		of("b2bua_queue_answered", "Callers who were answered since the statistics began.", func(f queue.Figures) float64 { return float64(f.Answered) }),
		of("b2bua_queue_abandoned", "Callers who hung up in line since the statistics began.", func(f queue.Figures) float64 { return float64(f.Abandoned) }),
		of("b2bua_queue_service_level", "Part of the callers that was answered in time.", func(f queue.Figures) float64 { return f.Level }),
	}
}
