package api

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"time"

	"b2bua/flows"
	"b2bua/flows/simulate"
	"b2bua/store"
)

// webhookTestBody is the call that a routing webhook is asked about.
type webhookTestBody struct {
	URL  string `json:"url,omitempty" doc:"Webhook to ask, one of the flow's; the first of them when left out"`
	From string `json:"from,omitempty" doc:"Number of the caller" default:"+14155550199"`
	To   string `json:"to,omitempty" doc:"Number that was dialled; the flow's own when left out"`
}

type webhookTestReply struct {
	Body struct {
		URL        string          `json:"url" doc:"The webhook that was asked"`
		Passed     bool            `json:"passed" doc:"Whether its reply can be followed"`
		Problem    string          `json:"problem,omitempty" doc:"Why it cannot"`
		DurationMS int64           `json:"duration_ms" doc:"How long the answer took; calls wait 5 seconds at most"`
		Decision   *flows.Decision `json:"decision,omitempty" doc:"What it chose"`
		Exchange   map[string]any  `json:"exchange" doc:"The request, each try with its status, and the beginning of the reply, as in traces"`
		Would      []flows.Step    `json:"would" doc:"What a call would do with it: the trace of a simulated one"`
	}
}

// webhookTestRoute asks a routing webhook as a call would.
func (s *Server) webhookTestRoute() {
	o := operation{method: http.MethodPost, path: flowsPath + "/{id}/webhook-test", id: "testCallFlowWebhook", summary: "Ask a routing webhook about a sample call",
		tag: "Call flows", noun: "Call flow", body: reflect.TypeFor[webhookTestBody](), bodyOptional: true,
		description: "Sends the signed request that a call sends, within the same time and with the same second try, and tells what would be done with the reply. The call_id is " + simulate.CallID + ", so that the receiver can tell. Failures here do not count as those of calls do."}
	register(s, o, s.testWebhook)
}

func (s *Server) testWebhook(ctx context.Context, in *bodyInput) (*webhookTestReply, error) {
	body := webhookTestBody{From: "+14155550199"}
	if err := decode(in.RawBody, &body, true); err != nil {
		return nil, err
	}
	plan := s.Store.Plan()
	f := plan.Flow(in.ID)
	if f == nil {
		return nil, notFound("Call flow")
	}
	urls := plan.Webhooks(f)
	switch {
	case s.Tries == nil:
		return nil, invalid("url", "cannot be asked: webhooks are not asked here")
	case len(urls) == 0:
		return nil, invalid("url", "is missing, and no rule, option or fallback of this call flow leads to a webhook")
	case body.URL == "":
		body.URL = urls[0]
	case !slices.Contains(urls, body.URL):
		return nil, invalid("url", "is not a webhook of this call flow: it asks %q", urls)
	}
	if _, err := flows.ParseNumber(body.From); err != nil {
		return nil, &store.Invalid{Problems: flows.Problems{{Path: "from", Slug: flows.SlugInvalidNumber, Message: err.Error()}}}
	}
	if body.To == "" {
		body.To = f.PhoneNumber
	}
	now, begun := s.now(), time.Now()
	d, step, err := s.Tries(ctx, body.URL, flows.Call{ID: simulate.CallID, From: body.From, To: body.To, At: now})
	out := &webhookTestReply{}
	b := &out.Body
	b.URL, b.Passed, b.DurationMS, b.Exchange = body.URL, err == nil, time.Since(begun).Milliseconds(), step.Detail
	given := flows.Given{From: body.From, To: body.To, At: now, Outcomes: map[string]flows.Results{body.URL: {string(flows.WebhookFailed)}}}
	if err != nil {
		b.Problem = err.Error()
	} else {
		b.Decision = &d
		given.Outcomes, given.Webhooks = nil, map[string]flows.Decision{body.URL: d}
	}
	asked := *f
	asked.Routing, asked.Tests = []flows.Rule{plan.Asks(f, body.URL)}, nil
	b.Would = simulate.Run(ctx, plan.With(&asked), &asked, given, now, nil).Steps
	return out, nil
}
