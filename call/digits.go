package call

import (
	"b2bua/dtmf"
	"b2bua/events"
)

// pressed handles a key of either party. The caller's keys wait in the keypad
// for whoever asks next (type-ahead), but not while the caller talks to
// somebody: those keys are for the other party and were relayed as sound is.
func (c *Call) pressed(l *leg, d dtmf.Digit) {
	if c.ending != nil {
		return
	}
	l.events = l.events || d.Method == dtmf.MethodRFC4733
	if l == c.caller && c.peer == nil {
		c.keys.Press(d)
	}
	if c.secret {
		return
	}
	c.tell(&events.DTMF{Digit: string(rune(d.Symbol)), DurationMS: d.Duration.Milliseconds(), Method: d.Method}, c.now())
}

// info handles an INFO request that carries a key (application/dtmf-relay).
//
// A phone that sends its keys as RFC 4733 events too would press each of them
// twice, so the first event heard from a leg ends the belief in its INFO. In a
// bridge the other party gets the key as an event of our own.
func (c *Call) info(l *leg, contentType string, body []byte) {
	d, err := dtmf.ParseInfo(contentType, body)
	if err != nil {
		c.log.Debug("info without a digit", "leg", l.name, "err", err)
		return
	}
	if l.events {
		return
	}
	if other := c.across(l); other != nil {
		if err := other.sound.SendDigits(string(rune(d.Symbol)), d.Duration, 0); err != nil {
			c.log.Info("pass a key on", "leg", other.name, "err", err)
		}
	}
	c.pressed(l, d)
}

// across is the party that l talks to.
func (c *Call) across(l *leg) *leg {
	switch {
	case c.peer == nil:
		return nil
	case l == c.caller:
		return c.peer
	case l == c.peer:
		return c.caller
	}
	return nil
}
