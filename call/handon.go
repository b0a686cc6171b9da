package call

import (
	"context"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/sip"
)

// transfer is the caller being connected to somebody else out of a conversation.
// The party talked to so far, who may have asked for it, waits: when the transfer
// fails the two talk on, and when that party is a device that has hung up
// meanwhile it is called back, so that nobody is left with nothing.
type transfer struct {
	call  *Call
	act   *act
	rule  flows.Rule // whom the caller gets
	join  *joining   // or: the other party of another call
	prong *prong     // who waits

	sentOn *ourNumber // where whom the caller was to get has sent the call on

	// Of an attended transfer by the API, see consult.go:
	consults  bool    // who is transferred away from talks to the new party first
	left      bool    // who consulted has hung up while nobody was rung or talked to
	hushed    []*tape // recordings that pause because of it
	concluded bool
	fallback  *flows.Fallback
	fact      events.Transferred
}

// handedOn is how a hunt comes out that a transfer has taken the caller from, or
// sends on to a number of ours. It never leaves this package.
const handedOn flows.Result = "handed_on"

// talking reports whether the caller talks to somebody who can be made to wait.
func (c *Call) talking() bool {
	return c.ending == nil && c.next == nil && c.transfer == nil && c.peer != nil && c.hunt != nil && c.hunt.talk != nil && c.gather == nil
}

// handOn begins a transfer. The flow, which waits for the end of the
// conversation, carries it out (seat.handOn). On the loop.
func (c *Call) handOn(t *transfer) {
	h := c.hunt
	t.call, t.prong = c, h.talk
	c.transfer = t
	c.disconnect()
	t.prong.leg.on = t.event
	c.soothe()
	h.prongs = nil
	h.finish(flows.Outcome{Result: handedOn})
}

// event is the table for the party that waits.
func (t *transfer) event(ev sip.Event) {
	l := t.prong.leg
	if t.call.ending != nil || l.over {
		return
	}
	switch ev := ev.(type) {
	case sip.Offered:
		t.call.reoffered(l, ev)
	case sip.Reanswered:
		t.call.reanswered(l, ev.SDP)
	case sip.ReofferRefused:
		t.call.parkAnswered(l, false)
	case sip.Referred:
		l.sig.RefuseRefer(491)
	case sip.Ended:
		l.over = true
		t.leaves()
	}
}

// waits reports whether this is who waits.
func (t *transfer) waits(l *leg) bool { return t != nil && t.prong.leg == l }

// leaves: who waited is gone, or need not wait any longer.
func (t *transfer) leaves() {
	t.prong.leg.hangup(sip.Reason{})
	if !t.consults { // else the entry is that of who consults
		t.call.attemptEnded(t.prong.attempt)
	}
	t.call.drop(t.prong.leg)
}

// done: the caller has been taken. On the loop, once.
func (t *transfer) done() {
	if t.call.transfer != t {
		return
	}
	t.call.transfer = nil
	t.leaves()
}

// abandon ends a transfer because the call ends, or something else is wanted.
func (t *transfer) abandon() {
	if t == nil || t.call.transfer != t {
		return
	}
	t.act.told(TransferResult{Result: string(flows.Gone)})
	if t.consults || t.left {
		t.conclude(TransferResult{Result: string(flows.Gone)})
	}
	if t.consults {
		t.call.attemptEnded(t.prong.attempt)
	}
	t.done()
}

// transferring makes the act of a transfer: told is whom its outcome concerns.
func (c *Call) transferring(f events.Transferred, told func(TransferResult)) *act {
	a := &act{controlled: c.controlled()}
	a.report = func(r TransferResult) {
		now := c.now()
		f.Result, f.SIPCode, f.SIPReason, f.TransferredAt = r.Result, r.SIPCode, r.SIPReason, now
		told(r)
		c.log.Info("call transferred", "destination", f.Destination, "by", f.By, "result", r.Result, "sip_code", r.SIPCode)
		c.tell(&f, now)
		if c.transfer != nil && c.transfer.act == a && r.Result == string(flows.Connected) {
			c.transfer.done()
		}
	}
	return a
}

// handOn carries out the transfer that the conversation has ended with. It comes
// back when all that came of it is over. On the flow's goroutine.
func (s *seat) handOn(ctx context.Context) flows.Outcome {
	c := s.call
	var t *transfer
	_ = c.loop.Call(context.Background(), func() {
		if t = c.transfer; t != nil && c.ending == nil {
			c.act = t.act
			c.note(flows.Step{Kind: "transfer", Text: t.words()})
		}
	})
	if t == nil || ctx.Err() != nil {
		return gone
	}
	if t.join != nil {
		return s.joined(ctx, t)
	}
	env, rule := c.env, t.rule
	env.Caller = &seat{call: c, act: t.act}
	if t.sentOn != nil {
		rule, env.Call.To = t.sentOn.rule(), t.sentOn.number
	}
	e := flows.RunDestination(ctx, env, rule)
	return s.converse(ctx, func(done func(flows.Outcome)) *hunt { return s.transferOver(t, e.Failed, e.Last, done) })
}

func (t *transfer) words() string {
	if t.sentOn != nil {
		return "sent on to " + t.sentOn.number
	}
	if t.join != nil {
		return "handed on to the other party of call " + t.join.call.id
	}
	return "handed on to " + string(t.rule.DestinationType) + " " + t.rule.Destination
}

// transferOver is told what came of a transfer. After a failure the two talk on,
// or the device that has hung up meanwhile is called back, unless there is a
// fallback. On the loop.
func (s *seat) transferOver(t *transfer, failed bool, last flows.Outcome, done func(flows.Outcome)) *hunt {
	c := s.call
	if c.act == t.act {
		c.act = s.act
	}
	t.act.told(TransferResult{Result: string(last.Result), SIPCode: last.SIPCode, SIPReason: last.SIPReason})
	if c.transfer == t && t.consults {
		return s.consulted(t, failed, done)
	}
	l, forsaken := t.prong.leg, t.forsaken()
	if forsaken {
		t.conclude(TransferResult{Result: string(flows.Gone)})
	}
	switch {
	case c.transfer != t: // done, or abandoned
		done(last)
		return nil
	case t.fallback != nil && (failed || forsaken): // goes before whoever has left the caller
		c.transfer = nil
		t.fallBack()
		done(gone)
		return nil
	case !failed: // the flow has dealt with the caller
		t.done()
		done(last)
		return nil
	}
	c.transfer = nil
	if l.over {
		return s.callBack(l, last, done)
	}
	return c.resume(s.act, l, t.prong.attempt, done)
}

// callBack calls the device again that has hung up on a transfer which came to
// nothing. Others are not: the number that a trunk says is calling is whatever
// somebody outside likes, and the call would be ours to pay. The flow goes on then.
func (s *seat) callBack(l *leg, last flows.Outcome, done func(flows.Outcome)) *hunt {
	c := s.call
	d := c.plan.Device(l.account.device)
	if d == nil {
		c.note(flows.Step{Kind: "transfer", Text: "who asked for the transfer has hung up and is not called back, being no device"})
		done(last)
		return nil
	}
	to := l.reach
	if to.Device == nil || to.Device.ID != d.ID { // one that another device's calls go to
		to = flows.DialRequest{Type: flows.ToDevice, Destination: d.ID, Device: d}
	}
	return c.dial(s.act, to, done)
}

// resume is a conversation with somebody who is there already.
func (c *Call) resume(a *act, l *leg, attempt int, done func(flows.Outcome)) *hunt {
	h := &hunt{call: c, act: a, to: l.reach, done: done}
	p := &prong{leg: l, hunt: h, attempt: attempt}
	h.prongs, h.talk = []*prong{p}, p
	c.hunt = h
	c.connect(l, l.reach.Destination)
	l.arrives(p.event)
	return h
}
