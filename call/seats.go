package call

import (
	"b2bua/flows"
	"b2bua/ivr"
)

// A call has two seats: the caller's, to whom everything is done, and that of
// the party the caller talks to. Who transfers the call leaves it, so the one
// who stays has, or gets, the caller's seat.

// changeSeats lets the caller and the other party of a conversation change
// places: nobody hears anything of it. On the loop.
func (c *Call) changeSeats() {
	h, stays, leaves := c.hunt, c.peer, c.caller
	if leaves.reach.Type == "" {
		leaves.reach = c.backTo(leaves)
	}
	c.sit(stays)
	h.talk.leg, leaves.on = leaves, h.talk.event
	c.peer = leaves
}

// sit makes l the caller; what was done to the one before is done to l from now
// on: prompts, and the recording, whose caller's side is whoever sits there.
func (c *Call) sit(l *leg) {
	c.stopPlay(reasonInterrupted)
	c.silence()
	for _, t := range c.tapes {
		c.caller.sound.RemoveTap(t.rec)
		l.sound.AddTap(t.rec)
	}
	if c.muted { // who was muted has left the seat
		c.caller.sound.Mute(false)
		c.muted = false
	}
	c.caller = l
	l.on = c.callerEvent
	c.desk = ivr.New(l.sound, c.keys, c.prompts(), c.log)
}

// backTo is how a leg that called us is called.
func (c *Call) backTo(l *leg) flows.DialRequest {
	if d := c.plan.Device(l.account.device); d != nil {
		return flows.DialRequest{Type: flows.ToDevice, Destination: d.ID, Device: d}
	}
	return flows.DialRequest{Type: flows.ToNumber, Destination: c.record.From}
}

// found is how whom a hunt finds is shown to others.
func (h *hunt) found() identity {
	d := h.to.Device
	switch {
	case d == nil:
		return identity{number: h.to.Destination}
	case d.Number != "":
		return identity{number: d.Number, display: d.DisplayName}
	}
	return identity{number: d.Username, display: d.DisplayName}
}

// account is who stands behind a target.
func (t target) account() account {
	switch {
	case t.trunk != nil:
		return account{trunk: t.trunk.ID}
	case t.device != nil:
		return account{device: t.device.ID}
	}
	return account{}
}
