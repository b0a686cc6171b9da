package call

import (
	"b2bua/flows"
	"b2bua/sip"
)

// worn is called by the media engine when a key of the leg's encryption is nearly
// used up, and when it is (RFC 3711 section 9.2).
func (l *leg) worn(spent bool) {
	l.post(func() { l.owner.Load().keysWorn(l, spent) })
}

// keysWorn brings new keys in time, by an offer within the dialog (RFC 4568 section
// 7.1.4), and ends the call when there are none in the end: nothing is said any more
// with a key that was used for as much as it may be. On the loop.
func (c *Call) keysWorn(l *leg, spent bool) {
	switch {
	case l.over || c.ending != nil:
	case !spent:
		c.log.Info("new keys", "leg", l.name)
		l.sound.Renew()
		l.renews = true
		l.renew()
	default:
		if p := c.waits.pollOf(l); p != nil {
			p.refuse("the keys of the member are used up")
			return
		}
		c.end(keysSpent(c.sideOf(l)))
	}
}

// renew offers new keys, and nothing else that is new, when no other offer of ours
// is under way. Any offer brings them.
func (l *leg) renew() {
	if !l.renews || l.asking || l.over || !l.answered {
		return
	}
	l.renews = false
	l.asking, l.renewing, l.asked = true, true, l.parked
	l.ask()
}

// keysSpent: the keys of a leg are used up and have not been replaced.
func keysSpent(who string) ending {
	return ending{
		reason: string(flows.KeysExpired), source: bySystem, code: 480, text: "Temporarily Unavailable",
		why: sip.Reason{Protocol: "SIP", Cause: 480, Text: "SRTP keys of the " + who + " used up"},
	}
}
