package call

import (
	"context"
	"strings"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/ivr"
	"b2bua/queue"
	"b2bua/sip"
)

// backRing is how long somebody is rung who is called back.
const backRing = 40 * time.Second

// CallBack calls somebody back who has kept a place in a queue, and runs the call
// to its end. It says why the caller did not come back to the queue, "" when the
// caller did.
func (s *System) CallBack(ctx context.Context, b queue.Back) (failure string) {
	plan := s.Store.Plan()
	q := plan.Queue(b.QueueID)
	if q == nil {
		return "there is no such queue"
	}
	if !q.Callback.May(b.Number) { // it was when the key was pressed
		return "the queue may not call this number any more"
	}
	if ctx.Err() != nil {
		return "the switch is stopping"
	}
	flow, _ := plan.Lookup(b.Dialled)
	c := s.New(Inbound{
		Invitation: &sip.Invitation{MaxForwards: 70}, Plan: plan, Flow: flow, From: b.Dialled, To: b.Number, Number: b.Dialled,
	})
	c.record.CallType = "outbound"
	o := &outbound{call: c, back: b, queue: q, failure: "the call ended"}
	a := &act{callerID: b.Dialled}
	if !isNumber(b.Dialled) {
		a.callerID = ""
	}
	a.run = func(ctx context.Context) flows.Ending { return o.run(ctx, &seat{call: c, act: a}) }
	c.next = a
	c.env.Caller = &seat{call: c, act: a}
	c.runOutbound(ctx)
	return o.failure
}

// outbound is a call that is placed by the switch, and whose caller is whom it
// reaches.
type outbound struct {
	call    *Call
	back    queue.Back
	queue   *flows.Queue
	failure string // on the flow's goroutine
}

// runOutbound is Run for a call without an INVITE.
func (c *Call) runOutbound(ctx context.Context) {
	c.caller = c.newLeg("caller")
	c.caller.over = true // nobody is there yet
	c.legs = []*leg{c.caller}
	c.loop.Post(func() {
		c.log.Info("call begins", "from", c.record.From, "did", c.record.To, "flow", c.record.CallFlowID)
		c.tell(c.initiated(), c.began)
	})
	c.sys.Calls.add(c)
	c.live(ctx)
}

// run reaches the caller, asks whether this is a good moment, and lets the caller
// wait where the place was kept.
func (o *outbound) run(ctx context.Context, s *seat) flows.Ending {
	c := o.call
	out := s.reach(ctx, flows.DialRequest{Type: flows.ToNumber, Destination: o.back.Number, Device: c.plan.DeviceByNumber(o.back.Number), Timeout: backRing})
	if out.Result != flows.Connected {
		o.failure = strings.TrimSpace("not reached: " + string(out.Result))
		return flows.Ending{Reason: flows.EndRoutingFailed, Last: out, Failed: true}
	}
	if !o.confirmed(ctx) {
		o.failure = "not confirmed by a key"
		return flows.Ending{Reason: "not_confirmed", Last: flows.Outcome{Result: flows.Connected}}
	}
	o.failure = ""
	_ = c.loop.Call(ctx, func() { s.act.callerID = "" }) // members are shown who it is
	r := flows.QueueRequest{Queue: o.queue, MaxWait: time.Duration(o.queue.MaxWait) * time.Second, Language: orText(o.queue.Language, flows.DefaultLanguage)}
	last := s.queue(ctx, r, o.back.EntryID)
	if fb := o.queue.Overflow; last.Result.FallsBack() && fb != nil {
		env := c.env
		return flows.RunDestination(ctx, env, flows.Rule{Pattern: "*", Destination: fb.ActionID, DestinationType: fb.Action})
	}
	e := flows.Ending{Reason: flows.EndCompleted, Last: last}
	if last.Result.FallsBack() {
		s.Apologise(ctx, last)
		e.Reason = string(last.Result)
	}
	return e
}

// confirmed asks for a key: a mailbox presses none.
func (o *outbound) confirmed(ctx context.Context) bool {
	menu := &flows.IVRMenu{ID: o.queue.ID, Prompt: phraseIn(o.queue.Language, "confirm"), Language: orText(o.queue.Language, flows.DefaultLanguage),
		Voice: o.queue.Voice, ValidDigits: string(rune(acceptKey)), MaxAttempts: 3, Timeout: 4}
	menu.ApplyDefaults()
	r := o.call.desk.Gather(ctx, menu)
	return r.Digits == string(rune(acceptKey)) && r.Reason == flows.MenuMaxDigits
}

// reach dials somebody who becomes the caller.
func (s *seat) reach(ctx context.Context, to flows.DialRequest) flows.Outcome {
	out := make(chan flows.Outcome, 1)
	c := s.call
	var h *hunt
	err := c.loop.Call(ctx, func() {
		if c.ending != nil {
			out <- gone
			return
		}
		h = &hunt{call: c, act: s.act, to: to, tried: map[string]bool{}, done: func(o flows.Outcome) { out <- o }}
		h.asks = func(p *prong) {
			h.picked(p)
			h.done = nil
			c.seat(p)
			out <- flows.Outcome{Result: flows.Connected}
		}
		c.calls = h
		h.begin()
	})
	if err != nil {
		return gone
	}
	select {
	case o := <-out:
		return o
	case <-ctx.Done():
		_ = c.loop.Call(context.Background(), func() {
			if h != nil {
				h.giveUp(gone, sip.Reason{})
				h.done = nil
			}
		})
		return gone
	}
}

// seat makes who has answered the caller. On the loop.
func (c *Call) seat(p *prong) {
	l := p.leg
	c.legs = without(c.legs, c.caller)
	c.attemptEnded(p.attempt)
	c.caller, l.on = l, c.callerEvent
	l.name = "caller"
	c.desk = ivr.New(l.sound, c.keys, c.sys.Prompts, c.log)
	c.settled = true
	now := c.now()
	c.record.Status = events.StatusInProgress
	c.record.AnsweredAt, c.record.AnsweredBy = &now, c.record.To
	c.tell(&events.Answered{AnsweredBy: c.record.To, AnsweredAt: now}, now)
	c.limit()
	c.recordByFlow(flows.RecordOnAnswer)
}
