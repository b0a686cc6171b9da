package flows

// What a caller in a voicemail box may want instead of leaving a message. They
// are answers of Caller.Voicemail and never leave this package.
const (
	WantsOperator Result = "wants_operator" // pressed 0 during the greeting
	WantsAccess   Result = "wants_access"   // pressed * during the greeting: the owner, on another phone
)

// toVoicemail takes a message, unless the caller wants something else.
func (w *walk) toVoicemail(t target, why Routing) Outcome {
	box := w.env.Plan.Box(t.to)
	if box == nil {
		return missing("there is no voicemail box %s", t.to)
	}
	out := w.env.Caller.Voicemail(w.ctx, box)
	switch {
	case out.Result == WantsOperator && box.Operator != nil:
		why.By, why.Because = ByOption, "the caller pressed 0 for the operator of the voicemail box "+box.ID
		w.note(StepOption, why.RuleIndex, why.Because, nil)
		return w.pursue(target{kind: box.Operator.DestinationType, to: box.Operator.Destination}, why)
	case out.Result == WantsAccess:
		why.By, why.Because = ByOption, "the caller pressed * to listen to the voicemail box "+box.ID
		w.note(StepOption, why.RuleIndex, why.Because, nil)
		return w.pursue(target{kind: ToAccess, to: box.ID}, why)
	case out.Result == WantsOperator:
		return Outcome{Result: Failed, Detail: "the voicemail box has no operator"}
	}
	return out
}

// toAccess lets an owner listen to messages: of the box that is named, or of the
// one whose number is entered.
func (w *walk) toAccess(t target) Outcome {
	if !named(t.to) {
		return w.env.Caller.Mailbox(w.ctx, nil)
	}
	box := w.env.Plan.Box(t.to)
	if box == nil {
		return missing("there is no voicemail box %s", t.to)
	}
	return w.env.Caller.Mailbox(w.ctx, box)
}

// AnyBox is the destination of voicemail_access that asks for a box.
const AnyBox = "*"

func named(box string) bool { return box != "" && box != AnyBox }
