package simulate

import (
	"cmp"
	"context"
	"time"

	"b2bua/events"
	"b2bua/flows"
)

// Ask asks a routing webhook for real. The step tells of it in the trace.
type Ask func(ctx context.Context, url string, c flows.Call) (flows.Decision, flows.Step, error)

// Outcome is what became of the call.
type Outcome struct {
	Status          string  `json:"status" doc:"completed or failed, as the call's record says"`
	Reason          string  `json:"reason" doc:"completion_reason or failure_reason"`
	Answered        bool    `json:"answered" doc:"Whether the caller was answered"`
	AnsweredBy      string  `json:"answered_by,omitempty" doc:"By a number, a device, a menu or a box"`
	Destination     string  `json:"destination" doc:"Where the call was sent last"`
	DestinationType string  `json:"destination_type" doc:"What that is"`
	Result          string  `json:"result" doc:"What came of it"`
	SIPCode         int     `json:"sip_code,omitempty" doc:"That a caller gets who was not answered"`
	Duration        float64 `json:"duration" doc:"Seconds of the whole call. Speech and conversations are estimated"`
	Unused          string  `json:"unused,omitempty" doc:"Keys of the script that nobody asked for"`
}

// Result is what a simulated call leaves behind.
type Result struct {
	CallFlowID string         `json:"call_flow_id,omitempty" doc:"Flow that took the call"`
	Revision   int            `json:"flow_revision,omitempty" doc:"Its revision"`
	Outcome    Outcome        `json:"outcome" doc:"What became of the call"`
	Steps      []flows.Step   `json:"steps" doc:"The trace, as that of a real call"`
	Events     []events.Event `json:"events" doc:"What webhooks would be told"`
	Taken      []Taken        `json:"-"`
}

// Taken is one way that a call was sent, for coverage.
type Taken = flows.Routing

// CallID is the id of every simulated call.
const CallID = "call_simulated"

// Run walks a call through f, which need not be the plan's. Now is used when
// the call says no time; ask may be nil.
func Run(ctx context.Context, plan *flows.Plan, f *flows.CallFlow, g flows.Given, now time.Time, ask Ask) Result {
	if g.At.IsZero() {
		g.At = now
	}
	g.From = cmp.Or(g.From, "anonymous")
	if f != nil {
		g.To = cmp.Or(g.To, f.PhoneNumber)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := newCaller(plan, f, g, ask, cancel)
	c.tell(&events.Initiated{CallType: "inbound", From: c.call.From, To: c.call.To,
		Verstat: g.Verstat, Attestation: g.Attestation, InitiatedAt: c.now})
	end := flows.Run(ctx, flows.Env{Plan: plan, Flow: f, Call: c.call, Now: c.clock, Caller: c})
	return c.conclude(end)
}

// conclude tells the last event, as call.conclude does for a real call.
func (c *caller) conclude(end flows.Ending) Result {
	reason, source := end.Reason, "system"
	code, text := end.Last.Result.ToCaller()
	switch {
	case c.gone && c.answered():
		reason, source = "hangup", "caller"
	case c.gone:
		reason, source, code, text = string(flows.CallerCancelled), "caller", 487, "Request Terminated"
	case c.talked:
		reason, source = "hangup", "callee"
	}
	if c.refused != "" {
		code, text = flows.RejectCode(c.refused)
	}
	o := Outcome{Status: events.StatusCompleted, Reason: reason, Answered: c.answered(), AnsweredBy: c.by,
		Destination: c.last.Destination, DestinationType: string(c.last.DestinationType), Result: string(end.Last.Result),
		Duration: events.Seconds(c.now.Sub(c.call.At)), Unused: c.unused()}
	said := ""
	if !c.answered() {
		o.SIPCode, said = code, text
	}
	if end.Failed || !c.answered() {
		o.Status = events.StatusFailed
		c.tell(&events.Failed{FailureReason: reason, HangupSource: source, SIPCode: o.SIPCode, SIPReason: said,
			Attempts: c.attempts, EndedAt: c.now})
	} else {
		c.tell(&events.Completed{Duration: events.Seconds(c.now.Sub(c.answeredAt)), CompletionReason: reason, HangupSource: source, EndedAt: c.now})
	}
	r := Result{Outcome: o, Steps: c.steps, Events: c.events, Taken: c.taken}
	if c.flow != nil {
		r.CallFlowID, r.Revision = c.flow.ID, c.flow.Revision
	}
	return r
}
