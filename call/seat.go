package call

import (
	"context"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/ivr"
	"b2bua/sip"
)

// seat is where a flow sits: it implements flows.Caller for a real call. Its
// methods run on the flow's goroutine and put questions to the loop.
type seat struct {
	call *Call
	act  *act
}

var _ flows.Caller = (*seat)(nil)

var gone = flows.Outcome{Result: flows.Gone}

// Menu answers the caller if need be and presents one menu.
func (s *seat) Menu(ctx context.Context, r flows.MenuRequest) flows.MenuResult {
	c := s.call
	if !s.answered(ctx, r.Menu.ID) {
		return flows.MenuResult{Reason: flows.MenuHangup}
	}
	defer c.serve("in a menu")()
	defer c.keepSecret(ctx, r.Menu.Sensitive)()
	result := c.desk.Menu(ctx, r)
	// Told even when the caller has hung up: that is a result, too.
	_ = c.loop.Call(context.Background(), func() { c.gathered(r.Menu, result) })
	return result
}

// Dial rings somebody and waits until the conversation is over.
func (s *seat) Dial(ctx context.Context, r flows.DialRequest) flows.Outcome {
	return s.converse(ctx, func(done func(flows.Outcome)) *hunt {
		if ctx.Err() != nil { // taken over while this waited for its turn
			done(gone)
			return nil
		}
		return s.call.dial(s.act, r, done)
	})
}

// converse begins a hunt, on the loop, and waits until the conversation that
// comes of it is over, and those that this one is transferred to.
func (s *seat) converse(ctx context.Context, begin func(done func(flows.Outcome)) *hunt) flows.Outcome {
	out := make(chan flows.Outcome, 1)
	var h *hunt
	if s.call.loop.Call(context.Background(), func() { h = begin(func(o flows.Outcome) { out <- o }) }) != nil {
		return gone
	}
	select {
	case o := <-out:
		if o.Result == handedOn {
			return s.handOn(ctx)
		}
		return o
	case <-ctx.Done():
		s.call.loop.Post(func() { h.release(sip.Reason{}) })
		return gone
	}
}

// Voicemail answers the caller if need be and takes a message.
func (s *seat) Voicemail(ctx context.Context, b *flows.VoicemailBox) flows.Outcome {
	if !s.answered(ctx, b.ID) {
		return gone
	}
	defer s.call.serve("in voicemail")()
	return s.call.takeMessage(ctx, b)
}

// Say speaks a text to the caller.
func (s *seat) Say(ctx context.Context, text, language string) flows.Outcome {
	if !s.answered(ctx, "say") {
		return gone
	}
	defer s.call.serve("listening to a text")()
	if err := s.call.desk.Say(ctx, ivr.Prompt{Ref: text, Language: language}); err != nil {
		if ctx.Err() != nil {
			return gone
		}
		s.call.log.Warn("say", "err", err)
		return flows.Outcome{Result: flows.Failed, Detail: err.Error()}
	}
	return flows.Outcome{Result: flows.Connected}
}

// Application lets the call ring until the API takes it over.
func (s *seat) Application(ctx context.Context, timeout time.Duration) flows.Outcome {
	return s.call.awaitCommands(ctx, s.act, timeout)
}

// Apologise ends a call for which everything failed.
func (s *seat) Apologise(ctx context.Context, last flows.Outcome) {
	answered := false
	if s.call.loop.Call(ctx, func() { answered = s.call.caller.answered }) != nil || !answered {
		return // the final SIP code says it, see fromFlow
	}
	if err := s.call.desk.Say(ctx, ivr.Prompt{Ref: apology, Language: "en-US"}); err != nil && ctx.Err() == nil {
		s.call.log.Warn("apologise", "err", err, "cause", last.Result)
	}
}

const apology = "We are sorry. Your call cannot be completed at this time. Please try again later."

// Hangup ends the call as the flow says.
func (s *seat) Hangup(_ context.Context, reason string) {
	s.post(func(c *Call) {
		s.act.told(TransferResult{Result: string(flows.Connected)})
		c.end(flowHangup(reason))
	})
}

// Reject refuses an unanswered call, and hangs up on an answered one.
func (s *seat) Reject(_ context.Context, cause string) {
	s.post(func(c *Call) {
		s.act.told(TransferResult{Result: string(flows.Connected)})
		code, text := flows.RejectCode(cause)
		c.end(ending{reason: "rejected", source: bySystem, code: code, text: text, failed: true})
	})
}

// Tag adds tags to the call.
func (s *seat) Tag(tags map[string]string) {
	s.post(func(c *Call) { c.tag(tags) })
}

// Routed tells which way the call was sent and why.
func (s *seat) Routed(r flows.Routing) {
	s.post(func(c *Call) {
		c.sys.Store.Took(r, c.now())
		c.log.Info("call routed", "destination_type", r.DestinationType, "destination", r.Destination, "cause", r.Because)
		c.tell(&events.Routed{
			RuleIndex: r.RuleIndex, Pattern: r.Pattern, Destination: r.Destination,
			DestinationType: string(r.DestinationType), Because: r.Because,
		}, c.now())
	})
}

// Note adds a step to the call's trace.
func (s *seat) Note(step flows.Step) {
	s.post(func(c *Call) { c.note(step) })
}

// answered makes sure that the caller is; false means that there is nobody. A
// destination that answers is one that was reached.
func (s *seat) answered(ctx context.Context, by string) bool {
	err := ErrEnded
	lost := s.call.loop.Call(ctx, func() {
		if ctx.Err() != nil { // taken over while this waited for its turn
			return
		}
		if err = s.call.answer(by); err == nil {
			s.act.told(TransferResult{Result: string(flows.Connected)})
		}
	})
	return lost == nil && err == nil
}

// post runs f on the loop if the act still is what the call does: what a
// cancelled flow says on its way out no longer counts.
func (s *seat) post(f func(*Call)) {
	_ = s.call.loop.Call(context.Background(), func() {
		if s.call.act == s.act && s.call.ending == nil {
			f(s.call)
		}
	})
}

// serve says what the flow lets the caller hear or answer, so that the API does
// not talk into it; the function it returns ends that.
func (c *Call) serve(what string) func() {
	_ = c.loop.Call(context.Background(), func() {
		c.serves = what
		c.gather.stop(errTakenOver) // one reader of the keys at a time
	})
	c.settle()
	c.informed()
	return func() { _ = c.loop.Call(context.Background(), func() { c.serves = "" }) }
}

// gathered tells the result of a menu or of gather-dtmf. On the loop.
func (c *Call) gathered(m *flows.IVRMenu, r flows.MenuResult) {
	f := &events.Gathered{
		MenuID: m.ID, Digits: r.Digits, Terminator: r.Terminator, Reason: r.Reason,
		Attempts: r.Attempts, BargedIn: r.BargedIn, DurationMS: r.DurationMS,
	}
	if m.Sensitive {
		f.Digits = ""
	}
	c.tell(f, c.now())
}

// keepSecret keeps digits out of events while a sensitive menu collects; the
// function it returns ends that.
func (c *Call) keepSecret(ctx context.Context, sensitive bool) func() {
	if !sensitive {
		return func() {}
	}
	_ = c.loop.Call(ctx, func() { c.secret = true })
	return func() { c.loop.Post(func() { c.secret = false }) }
}
