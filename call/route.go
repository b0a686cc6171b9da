package call

import (
	"context"

	"b2bua/flows"
	"b2bua/webhook"
)

// AskWebhook asks a routing webhook where the call goes. The caller hears
// ringing meanwhile.
func (s *seat) AskWebhook(ctx context.Context, url string) (flows.Decision, flows.Outcome) {
	c := s.call
	var ask webhook.RouteRequest
	err := c.loop.Call(ctx, func() {
		c.ring()
		c.ringback()
		ask = webhook.RouteRequest{
			CallID: c.id, From: c.record.From, To: c.record.To, CallType: c.record.CallType, Timestamp: c.now(),
			CallFlowID: c.record.CallFlowID, FlowRevision: c.record.FlowRevision, Tags: c.record.Tags,
		}
	})
	if err != nil {
		return flows.Decision{}, gone
	}
	reply, exchange, err := c.sys.Router.Ask(ctx, url, ask)
	c.loop.Post(c.silence)
	if ctx.Err() != nil {
		return flows.Decision{}, gone
	}
	s.Note(flows.Step{Kind: flows.StepWebhook, Text: exchange.String(), Detail: exchange.Detail()})
	if err != nil {
		c.log.Warn("routing webhook", "err", err)
		return flows.Decision{}, flows.Outcome{Result: flows.WebhookFailed, Detail: err.Error()}
	}
	return flows.Decision{
		Destination: reply.Destination, DestinationType: flows.DestinationType(reply.DestinationType), Tags: reply.Tags,
	}, flows.Outcome{Result: flows.Connected}
}
