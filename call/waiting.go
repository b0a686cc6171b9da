package call

import (
	"context"
	"errors"
	"fmt"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/media"
	"b2bua/queue"
	"b2bua/sip"
)

// waiting is the caller in a queue. Which members are rung when is the queue's to
// say; it asks by Ring and Out, and is told by the ticket. Whether the caller is
// still there, and who of those who answer talks to the caller, is decided here,
// on the loop, where both are known.
type waiting struct {
	call     *Call
	act      *act
	req      flows.QueueRequest
	ticket   *queue.Ticket
	began    time.Time
	early    []queue.Offer // that came before there was a ticket
	earlyOut string
	polls    []*poll // members who are rung, or have answered and not taken the caller yet
	music    media.Source
	playing  *media.Playback
	place    queue.Place
	offers   int
	frozen   bool   // nobody is rung meanwhile
	over     bool   // the caller is not in line any more
	result   string // the caller has left with
	talks    *hunt
	done     chan flows.Outcome // of the conversation
	host     context.CancelCauseFunc
}

var (
	errAnswered = errors.New("a member has taken the caller")
	errOut      = errors.New("the caller has to leave the queue")
)

// Ring asks to ring members, for the queue.
func (w *waiting) Ring(o queue.Offer) {
	w.call.loop.Post(func() { w.ring(o) })
}

// Out asks the caller to leave, for the queue.
func (w *waiting) Out(result string) {
	w.call.loop.Post(func() {
		if w.ticket == nil {
			w.earlyOut = result
			return
		}
		w.leave(result)
	})
}

// ring is done on the loop. Nobody is rung for a caller who has left.
func (w *waiting) ring(o queue.Offer) {
	if w.ticket == nil {
		w.early = append(w.early, o)
		return
	}
	if w.over || w.frozen || w.talks != nil || w.call.ending != nil {
		for _, m := range o.Members {
			w.ticket.Refused(m.Destination)
		}
		return
	}
	w.offers++
	for _, m := range o.Members {
		w.polls = append(w.polls, w.newPoll(m, o))
	}
	for _, p := range w.polls {
		if !p.begun {
			p.begun = true
			p.hunt.begin()
		}
	}
}

// begin starts the waiting, once the caller hears us.
func (w *waiting) begin(t *queue.Ticket, entryID string) {
	c, now := w.call, w.call.now()
	if c.ending != nil {
		return
	}
	w.ticket, w.began = t, now
	c.waits = w
	c.note(flows.Step{Kind: "queue", Text: w.words(), Detail: map[string]any{
		"queue_id": w.req.Queue.ID, "entry_id": t.ID, "position": w.place.Position, "returned": t.Returned,
	}})
	c.tell(&events.Queued{
		QueueID: w.req.Queue.ID, EntryID: t.ID, Position: w.place.Position, Priority: w.place.Priority,
		EstimatedWait: events.Seconds(w.place.Estimate), Returned: t.Returned, Callback: entryID != "", QueuedAt: now,
	}, now)
	if w.req.Group {
		c.ring()
		c.ringback()
	} else {
		w.hum()
	}
	early := w.early
	w.early = nil
	for _, o := range early {
		w.ring(o)
	}
	if w.earlyOut != "" {
		w.leave(w.earlyOut)
	}
}

// hum plays the music, from where it was. On the loop.
func (w *waiting) hum() {
	if w.over || w.talks != nil || w.req.Group || w.call.ending != nil {
		return
	}
	w.playing = w.call.caller.sound.Play(w.music)
}

// won: a member talks to the caller. The others are told so.
func (w *waiting) won(p *poll, to *prong) {
	c, h := w.call, p.hunt
	elsewhere := sip.Reason{Protocol: "SIP", Cause: 200, Text: "Call completed elsewhere"}
	for _, other := range w.polls {
		if other != p {
			other.withdraw(flows.Outcome{Result: "completed_elsewhere"}, elsewhere)
		}
	}
	w.polls, w.talks = nil, h
	w.host(errAnswered)
	h.asks, h.talk, h.done = nil, to, func(o flows.Outcome) { w.done <- o }
	c.hunt = h
	w.ticket.Accepted(p.member.Destination)
	to.leg.freed(func() { w.ticket.Over(p.member.Destination) })
	w.told(queue.Connected, p.member.Destination)
	if err := c.answer(h.to.Destination); err != nil {
		return // the call is over
	}
	if w.playing != nil {
		w.playing.Stop()
	}
	c.connect(to.leg, h.to.Destination)
	w.act.told(TransferResult{Result: string(flows.Connected), SIPCode: 200, SIPReason: "OK"})
	if w.req.Queue.Record {
		c.recordForQueue()
	}
}

// freed has f told when the leg is gone for good.
func (l *leg) freed(f func()) {
	before := l.release
	l.release = func() {
		if before != nil {
			before()
		}
		if f != nil {
			f()
			f = nil
		}
	}
}

// leave takes the caller out of the line, unless that has happened already, or a
// member has taken the caller. On the loop.
func (w *waiting) leave(result string) {
	if w.over || w.talks != nil || w.ticket == nil {
		return
	}
	w.over = true
	w.hangUp(sip.Reason{})
	if w.playing != nil {
		w.playing.Stop()
	}
	w.ticket.Leave(result)
	w.told(result, "")
	w.host(errOut)
}

// hangUp ends that members are rung. On the loop.
func (w *waiting) hangUp(r sip.Reason) {
	for _, p := range w.polls {
		p.withdraw(flows.Outcome{Result: flows.Gone}, r)
	}
	w.polls = nil
}

// release: the call ends, or goes on elsewhere; what the caller leaves the queue
// with is found out by who waits for it. On the loop.
func (w *waiting) release(r sip.Reason) {
	if w == nil || w.over || w.talks != nil {
		return
	}
	w.hangUp(r)
	result := queue.Transferred
	if w.call.ending != nil {
		result = queue.Abandoned
	}
	w.leave(result)
}

// told tells how the caller left the line.
func (w *waiting) told(result, member string) {
	c, now := w.call, w.call.now()
	w.result = result
	wait := now.Sub(w.began)
	c.note(flows.Step{Kind: "queue", Text: "left queue " + w.req.Queue.ID + " after " + wait.Round(time.Second).String() + ": " + result, Detail: map[string]any{
		"queue_id": w.req.Queue.ID, "result": result, "member": member, "offers": w.offers, "wait": events.Seconds(wait),
	}})
	c.tell(&events.Dequeued{
		QueueID: w.req.Queue.ID, EntryID: w.ticket.ID, Result: result, Position: w.place.Position, Wait: events.Seconds(wait),
		Member: member, Offers: w.offers, DequeuedAt: now,
	}, now)
}

// trunkDown gives up on members whom a dead trunk rings.
func (w *waiting) trunkDown(id string) {
	if w == nil {
		return
	}
	for _, p := range append([]*poll(nil), w.polls...) {
		p.hunt.trunkDown(id)
	}
}

// words says where the caller waits.
func (w *waiting) words() string {
	text := fmt.Sprintf("waits in queue %s, position %d", w.req.Queue.ID, w.place.Position)
	if w.ticket.Returned {
		text += ", at the place kept from before"
	}
	return text
}

// turnedAway tells of a caller who may not wait. Not on the loop.
func (c *Call) turnedAway(q *flows.Queue, result string) {
	_ = c.loop.Call(context.Background(), func() {
		now := c.now()
		c.note(flows.Step{Kind: "queue", Text: "queue " + q.ID + " takes no callers now: " + result, Detail: map[string]any{"queue_id": q.ID, "result": result}})
		c.tell(&events.Dequeued{QueueID: q.ID, Result: result, DequeuedAt: now}, now)
	})
}
