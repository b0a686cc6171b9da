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
	if l == c.caller && c.peer == nil {
		c.keys.Press(d)
	}
	if c.secret {
		return
	}
	c.tell(&events.DTMF{Digit: string(rune(d.Symbol)), DurationMS: d.Duration.Milliseconds(), Method: d.Method}, c.now())
}

// info handles an INFO request that carries a key (application/dtmf-relay).
func (c *Call) info(l *leg, contentType string, body []byte) {
	d, err := dtmf.ParseInfo(contentType, body)
	if err != nil {
		c.log.Debug("info without a digit", "leg", l.name, "err", err)
		return
	}
	c.pressed(l, d)
}
