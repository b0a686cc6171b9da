package call

import (
	"b2bua/flows"
	"b2bua/media"
	"b2bua/sip"
)

// timeUp: nobody answered in time.
func (h *hunt) timeUp() {
	h.giveUp(flows.Outcome{Result: flows.NoAnswer, Detail: "nobody answered in time"}, sip.Reason{})
	h.finish(flows.Outcome{Result: flows.NoAnswer, Detail: "nobody answered in time"})
}

// giveUp hangs up on everybody who rings or talks.
func (h *hunt) giveUp(o flows.Outcome, r sip.Reason) {
	for _, p := range h.prongs {
		if p.early {
			media.Unbridge(h.call.caller.sound, p.leg.sound)
		}
		p.deaf.Stop()
		p.leg.hangup(r)
		if p == h.talk {
			h.call.attemptEnded(p.attempt)
		} else {
			h.call.attemptOver(p.attempt, o)
		}
		h.call.drop(p.leg)
	}
	h.prongs, h.rounds = nil, nil
}

// release ends the hunt because the call ends or goes on without it; r is told
// to everybody who rings or talks.
func (h *hunt) release(r sip.Reason) {
	if h == nil || h.done == nil {
		return
	}
	if h.talk != nil {
		h.call.disconnect()
	}
	h.giveUp(flows.Outcome{Result: flows.Gone}, r)
	h.finish(flows.Outcome{Result: flows.Gone})
}

// finish tells the outcome, once.
func (h *hunt) finish(o flows.Outcome) {
	if h.done == nil {
		return
	}
	h.timer.Stop()
	done := h.done
	h.done = nil
	if h.asks != nil {
		done(o)
		return
	}
	h.call.silence()
	if h.call.hunt == h {
		h.call.hunt = nil
	}
	if h.talk == nil && o.Result != handedOn {
		h.act.told(TransferResult{Result: string(o.Result), SIPCode: o.SIPCode, SIPReason: o.SIPReason})
	}
	if h.call.missed = o.Result; o.Result == flows.Connected {
		h.call.missed = ""
	}
	done(o)
}

// rings reports whether somebody is being rung whom the caller cannot hear yet.
func (h *hunt) rings() bool {
	if h == nil || h.talk != nil {
		return false
	}
	for _, p := range h.prongs {
		if p.early {
			return false
		}
	}
	return len(h.prongs) > 0
}
