package call

import (
	"context"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/ivr"
)

// end is the one way to die: everything that ends a call calls it, and the
// first cause wins. On the loop it stops the flow and says goodbye to all legs;
// what may have to wait is done by wrapUp on the flow's goroutine.
func (c *Call) end(e ending) {
	if c.ending != nil {
		return
	}
	c.ending = &e
	c.log.Info("call ends", "cause", e.reason, "source", e.source, "sip_code", e.code)
	c.lease.Stop()
	c.announced()
	if c.interim != nil {
		c.interim(ivr.ErrHangup)
	}
	c.gather.stop(ivr.ErrHangup)
	c.next.abandon()
	c.act.abandon()
	c.transfer.abandon()
	c.next = nil
	c.stopPlay(reasonInterrupted)
	c.hunt.release(e.why)
	c.waits.release(e.why)
	c.calls.release(e.why)
	for _, l := range c.legs {
		if l != c.caller {
			l.hangup(e.why)
		}
	}
	c.farewell(e)
}

// farewell ends the caller's leg: a final response before the answer, BYE after.
func (c *Call) farewell(e ending) {
	l := c.caller
	if l.over {
		return
	}
	if l.answered {
		l.hangup(e.why)
		return
	}
	l.over = true
	if e.hint.Name != "" {
		l.sig.Reject(e.code, e.text, e.hint)
		return
	}
	l.sig.Reject(e.code, e.text)
}

// wrapUp closes what the call had open, writes down what became of it, tells it,
// and takes the call out of the registry, in this order. It runs on the flow's
// goroutine, where waiting is allowed.
func (c *Call) wrapUp() {
	c.settle()
	ctx := context.Background()
	var legs []*leg
	_ = c.loop.Call(ctx, func() {
		legs = c.legs
		for _, l := range legs {
			c.forget(l)
			c.heard(l)
		}
		c.silence()
		c.disconnect()
	})
	c.finishTapes()
	for _, l := range legs {
		l.close()
	}
	c.work.Wait()
	var last func()
	var record events.CallRecord
	_ = c.loop.Call(ctx, func() { last = c.conclude(); record = c.record.Clone() })
	if err := c.sys.Store.SaveCall(ctx, record, flows.Told(c.steps)); err != nil {
		c.log.Error("keep the call record", "err", err)
	}
	_ = c.loop.Call(ctx, last)
}

// conclude completes the record; what it returns tells the last event.
func (c *Call) conclude() (tellLast func()) {
	e, now := c.ending, c.now()
	r := &c.record
	r.EndedAt, r.HangupSource = &now, e.source
	status := e.status(c.caller.answered)
	r.SIPCode, r.SIPReason = status.code, status.text
	failed := e.failed || !c.caller.answered
	if r.AnsweredAt != nil {
		r.Duration = events.Seconds(now.Sub(*r.AnsweredAt))
	}
	if failed {
		r.Status, r.FailureReason = events.StatusFailed, e.reason
	} else {
		r.Status, r.CompletionReason = events.StatusCompleted, e.reason
	}
	if e.reason == RoutingFailed {
		r.Error = &events.Problem{Error: RoutingFailed, Message: "All routing attempts failed", Code: 503}
	}
	var f events.Fact = &events.Completed{
		Duration: r.Duration, CompletionReason: e.reason, HangupSource: e.source,
		SIPCode: status.code, SIPReason: status.text, Quality: c.quality(), EndedAt: now,
	}
	if failed {
		f = &events.Failed{
			FailureReason: e.reason, HangupSource: e.source, SIPCode: status.code, SIPReason: status.text,
			Attempts: r.Clone().Attempts, EndedAt: now,
		}
	}
	return func() { c.tell(f, now) }
}
