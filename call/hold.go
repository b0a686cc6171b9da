package call

import (
	"context"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/media"
)

// Hold is kept apart for three who may hold at once: each party, by what its
// description says, and the API. What follows from it is worked out anew by
// soothe whenever one of them changes.

// sideOf names a party in events.
func (c *Call) sideOf(l *leg) string {
	if l == c.caller {
		return byCaller
	}
	return byCallee
}

// heldNow tells when a party put us on hold or came back. On the loop.
func (c *Call) heldNow(l *leg) {
	held := l.sound.Held()
	if held == l.held {
		return
	}
	l.held = held
	c.tellHold(held, c.sideOf(l))
	c.soothe()
}

func (c *Call) tellHold(held bool, by string) {
	now := c.now()
	if held {
		c.note(flows.Step{Kind: "hold", Text: "put on hold by the " + by, Detail: map[string]any{"by": by}})
		c.tell(&events.Held{By: by, HeldAt: now}, now)
		return
	}
	c.note(flows.Step{Kind: "resume", Text: "taken off hold by the " + by, Detail: map[string]any{"by": by}})
	c.tell(&events.Resumed{By: by, ResumedAt: now}, now)
}

// soothe lets every party hear what the holds in force want it to: whoever is
// held hears music, or is told of the hold when its trunk or device wants that.
// On the loop.
func (c *Call) soothe() {
	if c.ending != nil {
		return
	}
	for _, l := range c.legs {
		other := c.across(l)
		waits := other != nil && other.held
		parked := c.onHold && (other != nil || l == c.caller) || c.transfer.waits(l)
		relay := waits && !parked && !l.stubborn && c.relaysHold(l.via)
		if !waits {
			l.stubborn = false
		}
		l.park(relay)
		audio := l == c.caller && (c.playback != nil || c.tone != nil) // goes first
		l.hum((parked || waits && !relay) && !audio)
	}
}

// relaysHold reports whether a trunk or device wants to be told of holds itself.
func (c *Call) relaysHold(via string) bool {
	if d := c.plan.Device(via); d != nil {
		return d.Hold == flows.HoldRelay
	}
	for _, t := range c.plan.Trunks() {
		if t.ID == via {
			return t.Hold == flows.HoldRelay
		}
	}
	return false
}

// hum plays music on hold to the leg, or ends it.
func (l *leg) hum(on bool) {
	switch {
	case on && l.music == nil:
		l.music = l.sound.Play(l.owner.Load().sys.HoldMusic())
	case !on && l.music != nil:
		l.music.Stop()
		l.music = nil
	}
}

// park puts the party on hold in so many words, by an offer within its dialog,
// or takes it off. One offer is under way at a time; what is wanted when it has
// been answered is offered then.
func (l *leg) park(on bool) {
	l.parks = on
	if l.asking || l.over {
		return
	}
	if l.parks == l.parked {
		l.renew()
		return
	}
	l.renews = false // it brings the new keys, too
	l.asking, l.asked = true, on
	l.ask()
}

func (l *leg) ask() {
	if l.asked {
		l.sig.Reinvite(l.sound.Hold())
	} else {
		l.sig.Reinvite(l.sound.Unhold())
	}
}

// askAgain: an offer of the party's came before the one that park made, which
// waits for its turn after a glare (RFC 3261 section 14.1) and is older than our
// answer now. It is written anew, or the version of our descriptions would go
// back (RFC 3264 section 8).
func (l *leg) askAgain() {
	if l.asking {
		l.waits = false
		l.parked = l.asked // the answer has said so
		l.ask()
	}
}

// parkAnswered: the party took the offer that park made, or refused it, which
// leaves all as it was (RFC 3261 section 14.1).
func (c *Call) parkAnswered(l *leg, taken bool) {
	if !l.asking {
		return
	}
	l.asking = false
	if l.renewing {
		l.renewing = false
		c.soothe() // whatever has waited for it
		return
	}
	if taken {
		l.parked, l.unparks = l.asked, 0
		c.soothe()
		return
	}
	l.sound.SetHold(l.parked)
	if l.asked {
		l.stubborn = true // it hears music instead
		c.soothe()
		return
	}
	// It would stay on hold for ever: once more, in a while.
	if l.unparks++; l.unparks <= maxUnparks {
		l.asking, l.waits = true, true
		c.loop.After(unparkPause, func() {
			if l.owner.Load() == c && l.waits { // another call that has it asks by itself
				l.asking, l.waits = false, false
				c.soothe()
			}
		})
	}
}

const (
	maxUnparks  = 5
	unparkPause = 3 * time.Second
)

// unhold ends the API's hold, because somebody else has the caller now.
func (c *Call) unhold(by string) {
	if !c.onHold {
		return
	}
	c.onHold = false
	c.tellHold(false, by)
	c.soothe()
}

// Hold parts the caller from whoever the caller talks to, for the API. Both hear
// music until Resume; their dialogs know nothing of it.
func (c *Call) Hold(ctx context.Context) error {
	return c.command(ctx, func() error {
		no := func(state, need string) error { return &StateError{State: state, Verb: "hold", Need: need} }
		switch {
		case c.transfer.attending():
			return c.consulting("hold")
		case !c.caller.answered:
			return no(c.record.Status, "answer the call first")
		case c.onHold:
			return no("on hold", "that is what the call is already")
		case c.gather != nil:
			return no("gathering", "wait until the digits asked for are there")
		case c.serves != "":
			return no(c.serves, "wait until the flow is done with that")
		case c.hunt != nil && c.peer == nil, c.next != nil:
			return no("dialling", "wait until the party that is called answers or refuses")
		}
		c.commanded()
		c.onHold = true
		if c.peer != nil {
			media.Unbridge(c.caller.sound, c.peer.sound)
		}
		c.tellHold(true, byAPI)
		c.soothe()
		return nil
	})
}

// Resume ends Hold: whoever talked before talks on.
func (c *Call) Resume(ctx context.Context) error {
	return c.command(ctx, func() error {
		if !c.onHold {
			return &StateError{State: c.record.Status, Verb: "resume", Need: "only a call that was put on hold by the API can be resumed"}
		}
		if c.peer != nil {
			media.Bridge(c.caller.sound, c.peer.sound)
		}
		c.unhold(byAPI)
		return nil
	})
}

// Mute keeps what the caller says from the other party, or ends that.
func (c *Call) Mute(ctx context.Context, on bool) error {
	return c.command(ctx, func() error {
		verb, state := "unmute", "not muted"
		if on {
			verb, state = "mute", "muted"
		}
		switch {
		case c.transfer.attending():
			return c.consulting(verb)
		case !c.caller.answered:
			return &StateError{State: c.record.Status, Verb: verb, Need: "answer the call first"}
		case c.muted == on:
			return &StateError{State: state, Verb: verb, Need: "that is what the caller is already"}
		}
		c.muted = on
		c.caller.sound.Mute(on)
		c.note(flows.Step{Kind: verb, Text: "the API " + verb + "s the caller"})
		return nil
	})
}
