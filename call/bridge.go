package call

import (
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/media"
)

// connect lets the caller and l hear each other. On the loop.
func (c *Call) connect(l *leg, who string) {
	c.silence()
	c.stopPlay(reasonInterrupted) // what plays would hide the other party
	c.gather.stop(errTakenOver)
	c.unhold(byAPI)
	media.Bridge(c.caller.sound, l.sound)
	c.peer = l
	c.soothe() // one of them may hold already
	c.bridged(who)
}

// bridged tells whom the caller hears.
func (c *Call) bridged(who string) {
	now := c.now()
	c.record.BridgedTo = who
	c.log.Info("call bridged", "to", who)
	c.tell(&events.Bridged{BridgedTo: who, BridgedAt: now}, now)
	c.recordByFlow(flows.RecordOnBridge)
}

// disconnect parts them again; the legs live on.
func (c *Call) disconnect() {
	if c.peer == nil {
		return
	}
	l := c.peer
	media.Unbridge(c.caller.sound, l.sound)
	c.peer = nil
	l.hum(false)
	c.caller.hum(false)
	if c.ending != nil {
		return
	}
	c.loop.After(moment, func() { // if the call ends now, nobody need be taken off hold
		if c.peer == nil && c.ending == nil {
			c.unhold(byCallee)
		}
		c.soothe()
	})
}

// moment is what a flow takes to go on after a conversation, at the most.
const moment = 100 * time.Millisecond

// ringback lets a caller hear that the other side rings who hears what we send:
// one that is answered, or has been given early media. Others hear the tone of
// their own phone.
func (c *Call) ringback() {
	if c.ending != nil || c.tone != nil || c.playback != nil || !c.caller.answered && c.described == nil {
		return
	}
	if c.hunt != nil && c.hunt.act.music {
		c.tone = c.caller.sound.Play(c.sys.HoldMusic())
		return
	}
	c.tone = c.caller.sound.Play(c.sys.Ringback())
}

// silence ends the ringback tone.
func (c *Call) silence() {
	if c.tone != nil {
		c.tone.Stop()
		c.tone = nil
	}
}

// forget takes a leg that is over out of what the switch counts and knows.
func (c *Call) forget(l *leg) {
	if l.release != nil {
		l.release()
	}
	c.sys.Calls.leave(l)
}

// drop gives back a far leg that is over; the caller's stays until the end.
func (c *Call) drop(l *leg) {
	if c.peer == l {
		c.disconnect()
	}
	c.forget(l)
	c.legs = without(c.legs, l)
	c.heard(l)
	c.behind(l.close)
}
