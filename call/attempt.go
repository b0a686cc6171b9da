package call

import (
	"cmp"
	"fmt"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/sip"
)

// attempt opens an entry in the record; the result is filled in when known.
func (c *Call) attempt(to flows.DialRequest, t target) int {
	c.record.Attempts = append(c.record.Attempts, events.Attempt{
		Destination: cmp.Or(t.redirected, to.Destination), DestinationType: string(to.Type), Via: t.via, StartedAt: c.now(),
	})
	return len(c.record.Attempts) - 1
}

// attemptOver closes the entry.
func (c *Call) attemptOver(i int, o flows.Outcome) {
	a := &c.record.Attempts[i]
	if a.EndedAt != nil {
		return
	}
	now := c.now()
	a.EndedAt, a.Result = &now, string(o.Result)
	a.SIPCode, a.SIPReason, a.Detail = o.SIPCode, o.SIPReason, o.Detail
	c.noteDial(a, now)
}

// attemptAnswered says that somebody took the call.
func (c *Call) attemptAnswered(i int) {
	a, now := &c.record.Attempts[i], c.now()
	a.AnsweredAt, a.Result, a.SIPCode, a.SIPReason = &now, string(flows.Connected), 200, "OK"
	c.noteDial(a, now)
}

// attemptEnded closes the entry of a conversation.
func (c *Call) attemptEnded(i int) {
	if a := &c.record.Attempts[i]; a.EndedAt == nil {
		now := c.now()
		a.EndedAt = &now
	}
}

func (c *Call) noteDial(a *events.Attempt, now time.Time) {
	c.note(flows.Step{Kind: "dial", Text: dialText(a, now.Sub(a.StartedAt).Round(time.Millisecond)), Detail: map[string]any{
		"destination": a.Destination, "via": a.Via, "result": a.Result, "sip_code": a.SIPCode, "sip_reason": a.SIPReason,
	}})
}

// noteRetargeted says that a host of a target did not take the call.
func (c *Call) noteRetargeted(p *prong, ev sip.Retargeted) {
	a := &c.record.Attempts[p.attempt]
	c.note(flows.Step{Kind: "dial", Text: fmt.Sprintf("dialled %s by %s: %s, next address %s", a.Destination, a.Via, ev.Because, ev.Addr),
		Detail: map[string]any{"destination": a.Destination, "via": a.Via, "cause": ev.Because, "address": ev.Addr.String()}})
}
