package call

import "b2bua/events"

// heldNow tells when a party put us on hold or came back. On the loop.
func (c *Call) heldNow(l *leg) {
	held := l.sound.Held()
	if held == l.held {
		return
	}
	l.held = held
	by := "callee"
	if l == c.caller {
		by = "caller"
	}
	now := c.now()
	if held {
		c.tell(&events.Held{By: by, HeldAt: now}, now)
		return
	}
	c.tell(&events.Resumed{By: by, ResumedAt: now}, now)
}
