package call

import (
	"b2bua/flows"
	"b2bua/media"
	"b2bua/sip"
)

// An attended transfer by the API: whoever the caller talks to is connected to the
// new party first, while the caller hears music. By hanging up, at any time, that
// one leaves the caller to the new party. When there is none, or it hangs up, the
// two talk on.
//
// Who consults has the caller's seat meanwhile, and the caller waits as in any
// other transfer. What the two say is none of the caller's business, so a
// recording of the call pauses, and nothing is played to whoever consults.

// returned is how a transfer comes out that was not completed: the caller is back
// with whoever has consulted.
const returned = "returned"

// consult begins an attended transfer out of a conversation. On the loop.
func (c *Call) consult(r TransferRequest, out chan<- TransferResult) {
	rule := r.rule()
	rule.Fallback = nil // is the caller's, not that of whom consults
	t := &transfer{rule: rule, consults: true, fallback: r.Fallback, fact: r.fact()}
	t.act = &act{controlled: c.controlled(), callerID: r.CallerID, report: func(result TransferResult) {
		out <- result
		if !t.consults || result.Result != string(flows.Connected) {
			t.conclude(result)
		}
	}}
	t.hushed = c.hushTapes()
	c.changeSeats()
	c.handOn(t)
}

// consulting refuses a command that is meant for the caller, who waits.
func (c *Call) consulting(verb string) error {
	if !c.transfer.attending() {
		return nil
	}
	return &StateError{State: "consulting", Verb: verb, Need: "wait until whoever consults hangs up, or has the caller back"}
}

// conclude tells what became of an attended transfer, once, and lets go who has
// left the caller to somebody else.
func (t *transfer) conclude(r TransferResult) {
	if t.concluded {
		return
	}
	t.concluded = true
	c, now := t.call, t.call.now()
	t.fact.Result, t.fact.SIPCode, t.fact.SIPReason, t.fact.TransferredAt = r.Result, r.SIPCode, r.SIPReason, now
	c.log.Info("call transferred", "destination", t.fact.Destination, "by", t.fact.By, "result", r.Result, "sip_code", r.SIPCode)
	c.tell(&t.fact, now)
	if r.Result == string(flows.Connected) {
		t.done()
	}
}

// attending reports whether somebody consults while the caller waits.
func (t *transfer) attending() bool { return t != nil && t.consults }

// completes reports whether who has the caller's seat leaves the caller, who
// waits, to the new party.
func (t *transfer) completes() bool { return t.attending() && !t.prong.leg.over }

// yield gives the caller's seat back to who has waited; who has consulted is the
// other party again. On the loop.
func (t *transfer) yield() {
	waits, asks := t.prong.leg, t.call.caller
	waits.hum(false)
	t.call.sit(waits)
	t.prong.leg, asks.on = asks, t.event
	t.consults = false
	t.call.unhush(t.hushed)
	t.hushed = nil
}

// complete: who consults has hung up. The caller talks to the new party, or hears
// it ring: then it is a transfer as any other. When there is nobody yet, or no
// longer, the flow's goroutine is about to dial, or to say how it went
// (transferOver).
func (t *transfer) complete() {
	c, asks := t.call, t.call.caller
	t.yield()
	switch early := c.hunt.heard(); {
	case c.peer != nil:
		media.Unbridge(asks.sound, c.peer.sound)
		if !c.onHold {
			media.Bridge(c.caller.sound, c.peer.sound)
		}
		c.bridged(c.record.BridgedTo)
		t.conclude(TransferResult{Result: string(flows.Connected), SIPCode: 200, SIPReason: "OK"})
	case early != nil:
		media.Unbridge(asks.sound, early.sound)
		media.Bridge(c.caller.sound, early.sound)
		t.leaves()
	default:
		t.left = c.hunt == nil
		c.ringback()
		t.leaves()
	}
	c.soothe()
}

// fallBack lets the caller go where the fallback leads. On the loop.
func (t *transfer) fallBack() {
	a := t.call.transferAct(TransferRequest{Destination: t.fallback.ActionID, DestinationType: t.fallback.Action, CallerID: t.act.callerID}, nil)
	a.report = nil
	t.call.takeOver(a)
}

// forsaken reports whether who consulted and the new party have both hung up, and
// nobody has had the caller.
func (t *transfer) forsaken() bool { return t.left && !t.concluded }

// heard is the leg whose early media the caller hears.
func (h *hunt) heard() *leg {
	if h == nil {
		return nil
	}
	for _, p := range h.prongs {
		if p.early && p != h.talk {
			return p.leg
		}
	}
	return nil
}

// consulted is told that the consultation is over: the two talk on, or the caller
// goes where the fallback leads. On the loop.
func (s *seat) consulted(t *transfer, failed bool, done func(flows.Outcome)) *hunt {
	c, waits := s.call, t.prong.leg
	t.conclude(TransferResult{Result: returned})
	c.transfer = nil
	if waits.over { // there is nobody to go back to
		done(flows.Outcome{Result: flows.Connected})
		return nil
	}
	t.yield()
	if failed && t.fallback != nil {
		asks := t.prong.leg
		asks.hangup(sip.Reason{})
		c.attemptEnded(t.prong.attempt)
		c.drop(asks)
		t.fallBack()
		done(gone)
		return nil
	}
	return c.resume(s.act, t.prong.leg, t.prong.attempt, done)
}

// attended is the transfer of a caller who talks to nobody: music instead of the
// ringing tone, and then the new party.
func (c *Call) attended(r TransferRequest, out chan<- TransferResult) *act {
	a := c.transferAct(r, out)
	a.music = true
	return a
}
