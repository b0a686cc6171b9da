package flows

import (
	"fmt"
	"time"
)

// visit is going to a destination, by its type.
func (w *walk) visit(t target, why Routing) Outcome {
	switch t.kind {
	case ToMenu:
		return w.toMenu(t)
	case ToNumber, ToDevice, ToSIP:
		return w.dial(t)
	case ToVoicemail:
		return w.toVoicemail(t, why)
	case ToAccess:
		return w.toAccess(t)
	case ToQueue, ToRingGroup:
		return w.queue(t, why)
	case ToWebhook:
		return w.webhook(t, why)
	case ToFlow:
		return w.handTo(t)
	case ToHangup, ToReject:
		return w.end(t)
	case ToApplication:
		return w.env.Caller.Application(w.ctx, time.Duration(t.ring)*time.Second)
	case ToSay:
		return w.say(t)
	}
	return missing("%s is not a destination type", string(t.kind))
}

func missing(format string, what string) Outcome {
	return Outcome{Result: Missing, Detail: fmt.Sprintf(format, what)}
}

func (w *walk) dial(t target) Outcome {
	r := DialRequest{Type: t.kind, Destination: t.to, Timeout: time.Duration(t.ring) * time.Second}
	if r.Timeout == 0 {
		r.Timeout = DefaultRing
	}
	switch t.kind {
	case ToDevice:
		if r.Device = w.env.Plan.Device(t.to); r.Device == nil {
			r.Device = w.env.Plan.DeviceByUsername(t.to)
		}
		if r.Device == nil {
			return missing("there is no device %s", t.to)
		}
	case ToNumber:
		r.Device = w.env.Plan.DeviceByNumber(t.to)
	}
	return w.env.Caller.Dial(w.ctx, r)
}

// webhook asks a routing webhook where to go, and goes there. The decision is
// checked like a rule; it has no fallback of its own, so a failure there is a
// failure of the webhook's rule.
func (w *walk) webhook(t target, why Routing) Outcome {
	if w.webhooks == maxWebhooks {
		return Outcome{Result: WebhookFailed, Detail: fmt.Sprintf("%d webhooks in a row answered with another webhook", maxWebhooks)}
	}
	decision, out := w.env.Caller.AskWebhook(w.ctx, t.to)
	if out.Result != Connected {
		return out
	}
	chosen := Rule{Destination: decision.Destination, DestinationType: decision.DestinationType}
	if problems := chosen.ValidateDestination(); len(problems) > 0 {
		return Outcome{Result: WebhookFailed, Detail: "the webhook's reply cannot be followed: " + problems.Error()}
	}
	if problems := CheckTags(decision.Tags); len(problems) > 0 {
		w.note(StepWebhook, why.RuleIndex, "the tags of the webhook's reply are left out: "+problems.Error(), nil)
	} else if len(decision.Tags) > 0 {
		w.env.Caller.Tag(decision.Tags)
	}
	w.note(StepWebhook, why.RuleIndex, "the webhook chose "+destinationWords(decision.DestinationType, decision.Destination),
		map[string]any{"url": t.to, "destination": decision.Destination, "destination_type": decision.DestinationType})
	w.webhooks++
	defer func() { w.webhooks-- }()
	why.Branch = Branch{} // the rule is counted already
	why.By, why.Because = ByWebhook, "the webhook "+t.to+" chose it"
	return w.pursue(target{kind: decision.DestinationType, to: decision.Destination, ring: t.ring}, why)
}

// handTo goes on in another flow. When nothing works there the call comes back
// with that, and the fallback and the rules here are tried.
func (w *walk) handTo(t target) Outcome {
	f := w.env.Plan.Flow(t.to)
	if f == nil {
		return missing("there is no call flow %s", t.to)
	}
	if !f.Active {
		return missing("the call flow %s is not active", t.to)
	}
	if w.handOver == maxHandOver {
		return Outcome{Result: Failed, Detail: fmt.Sprintf("the call was handed on %d times: the call flows lead to each other", maxHandOver)}
	}
	w.handOver++
	defer func() { w.handOver-- }()
	return w.flow(f)
}

// end carries out a hangup or a reject. The flow is done then.
func (w *walk) end(t target) Outcome {
	reason := t.reason
	if reason == "" {
		reason = t.to
	}
	if t.kind == ToReject {
		if reason == "" {
			reason = EndRejected
		}
		w.ended = EndRejected
		w.env.Caller.Reject(w.ctx, reason)
	} else {
		if reason == "" {
			reason = EndHangup
		}
		w.ended = reason
		w.env.Caller.Hangup(w.ctx, reason)
	}
	return Outcome{Result: Connected, Detail: reason}
}

// say speaks a text. A caller who chose it in a menu hears that menu again
// afterwards; for any other the call is over.
func (w *walk) say(t target) Outcome {
	zone, language := time.UTC, w.language()
	if w.at != nil {
		zone = w.at.zone
	}
	inMenu := len(w.visits) > 0
	out := w.env.Caller.Say(w.ctx, renderSay(t.to, language, w.env.Now().In(zone)), language)
	if out.Result == Connected && inMenu {
		w.again = w.visits[len(w.visits)-1].menu.ID
		out.Result = presentAgain
	}
	return out
}
