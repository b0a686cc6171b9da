package flows

import (
	"context"
	"fmt"
)

// What keeps a flow from running in circles.
const (
	maxHops     = 100 // destinations and menu presentations of one call
	maxHandOver = 10  // call flows inside call flows
	maxWebhooks = 5   // webhooks that answer with a webhook
)

// presentAgain never leaves this package: the menu named by walk.again, one of
// those being presented, is to be presented anew.
const presentAgain Result = "present_again"

// walk is one run. It belongs to the goroutine that called Run.
type walk struct {
	ctx      context.Context
	env      Env
	at       *flowPlan   // the flow the call is in; nil outside any
	visits   []*menuPlan // the menus being presented, the innermost last
	left     []string    // the menus the caller has been in: no * rule leads there again
	again    string
	hops     int
	handOver int
	webhooks int
	ended    string // by a hangup or reject destination: why
	now      decision
}

// target is a destination with what is needed to go there.
type target struct {
	kind   DestinationType
	to     string
	reason string
	ring   int // seconds; 0 means the standard
}

func newWalk(ctx context.Context, env *Env) *walk {
	return &walk{ctx: ctx, env: *env}
}

// unrouted is the way of a call whose number has no flow.
func (w *walk) unrouted() Outcome {
	w.note(StepFlow, nil, "the number has no call flow: the call rings for API control", nil)
	return w.pursue(target{kind: ToApplication}, Routing{By: ByRule, Because: "the number has no call flow"})
}

// requested is the way to a destination that no rule chose.
func (w *walk) requested(r Rule) Outcome {
	if w.env.Flow != nil {
		w.at = w.compiled(w.env.Flow)
	}
	if problems := r.ValidateDestination(); len(problems) > 0 {
		out := Outcome{Result: Failed, Detail: problems.Error()}
		if problems.Slug() == SlugInvalidNumber {
			out.Result = InvalidNumber
		}
		return out
	}
	return w.withFallback(&r, Routing{By: ByRequest, Because: "asked for"})
}

// flow takes the call through the rules of a flow at arrival, when only the
// catch-all rules take part: the first that holds wins, and when it leads
// nowhere the next one that holds.
func (w *walk) flow(f *CallFlow) Outcome {
	outer, visits, left := w.at, w.visits, w.left
	if len(visits) > 0 {
		// The caller pressed a key to come here, perhaps back to where the call
		// began: every menu may be presented again.
		w.left = nil
	}
	w.at, w.visits = w.compiled(f), nil
	defer func() { w.at, w.visits, w.left = outer, visits, left }()

	w.note(StepFlow, nil, fmt.Sprintf("call flow %q (%s), revision %d", f.Name, f.ID, f.Revision),
		map[string]any{"call_flow_id": f.ID, "revision": f.Revision})
	last := Outcome{Result: Failed, Detail: "no routing rule holds for this call"}
	for i := 0; i < len(f.Routing); i++ {
		w.decide()
		chosen := w.at.arrival(i, &w.now, w.left)
		for ; i < min(chosen, len(f.Routing)); i++ {
			w.notePassed(i)
		}
		if chosen == len(f.Routing) {
			break
		}
		held := w.holding(i)
		w.noteRule(i, held, "matches any call")
		out := w.withFallback(&f.Routing[i], w.ruleRouting(i, held.words("pattern * matches any call")))
		if !out.Result.FallsBack() {
			return out
		}
		last = out
		if w.hops > maxHops {
			break
		}
	}
	return last
}

// compiled is the flow as the plan compiled it. A flow from elsewhere, such as
// one being tried out, is compiled on the spot.
func (w *walk) compiled(f *CallFlow) *flowPlan {
	if known := w.env.Plan.flows[f.ID]; known != nil && known.flow == f {
		return known
	}
	return w.env.Plan.compile(f)
}

// withFallback goes where a rule leads, and to its fallback when that fails.
func (w *walk) withFallback(r *Rule, why Routing) Outcome {
	t := target{kind: r.DestinationType, to: r.Destination, reason: r.Reason}
	if r.Fallback != nil {
		t.ring = r.Fallback.Timeout
	}
	return w.orFallback(w.pursue(t, why), r.Fallback, why)
}

// orFallback goes to the fallback when out is a failure that has one.
func (w *walk) orFallback(out Outcome, f *Fallback, why Routing) Outcome {
	if f == nil || !out.Result.FallsBack() {
		return out
	}
	because := fmt.Sprintf("fallback: %s", outcomeWords(out))
	w.note(StepFallback, why.RuleIndex, fmt.Sprintf("%s, so the fallback is taken: %s", outcomeWords(out), destinationWords(f.Action, f.ActionID)),
		map[string]any{"result": out.Result, "action": f.Action, "action_id": f.ActionID})
	why.By, why.Because = ByFallback, because
	why.Branch.fallback = why.Branch.some()
	return w.pursue(target{kind: f.Action, to: f.ActionID}, why)
}

// pursue goes to one destination and tells of it.
func (w *walk) pursue(t target, why Routing) Outcome {
	if w.ctx.Err() != nil {
		return Outcome{Result: Gone, Detail: "the caller has gone"}
	}
	if w.hops++; w.hops > maxHops {
		return Outcome{Result: Failed, Detail: fmt.Sprintf("the call has gone through %d destinations: the flow runs in circles", maxHops)}
	}
	why.Destination, why.DestinationType = t.to, t.kind
	if w.at != nil {
		why.FlowID, why.FlowRevision = w.at.flow.ID, w.at.flow.Revision
	}
	w.env.Caller.Routed(why)
	w.note(StepGo, why.RuleIndex, "on to "+destinationWords(t.kind, t.to),
		map[string]any{"destination": t.to, "destination_type": t.kind, "by": why.By})
	out := w.visit(t, why)
	if out.Result.FallsBack() && w.ctx.Err() != nil {
		out = Outcome{Result: Gone, Detail: "the caller has gone"}
	}
	if out.Result != presentAgain {
		detail := map[string]any{"result": out.Result}
		if out.SIPCode != 0 {
			detail["sip_code"], detail["sip_reason"] = out.SIPCode, out.SIPReason
		}
		w.note(StepOutcome, why.RuleIndex, destinationWords(t.kind, t.to)+": "+outcomeWords(out), detail)
	}
	return out
}

// finish turns what came of it all into the ending.
func (w *walk) finish(out Outcome) Ending {
	ending := Ending{Reason: EndCompleted, Last: out}
	switch {
	case w.ended != "":
		ending.Reason = w.ended
	case out.Result == Gone:
		ending.Reason = EndGone
	case out.Result.FallsBack():
		ending.Reason, ending.Failed = EndRoutingFailed, true
	}
	text := "the flow is done: " + ending.Reason
	if ending.Failed {
		text = "all routing attempts failed, the last one with: " + outcomeWords(out)
	}
	w.note(StepEnd, nil, text, map[string]any{"reason": ending.Reason, "result": out.Result})
	return ending
}
