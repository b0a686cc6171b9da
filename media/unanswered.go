package media

import (
	"net/netip"
	"time"
)

// unanswered keeps count of how long we send to a host that only a description
// has named. Whoever calls may name somebody else's, and be gone, or hold, or ask
// to receive only: then nobody would ever be missed. So sound for a host that is
// not the one that signals stops after Timeout, unless RTP or RTCP has come back
// from there.
type unanswered struct {
	since   time.Duration // when we began to send there
	running bool          // nothing has come back yet
	stopped bool
}

// aimed begins to count. To name a third host, and then a fourth, prolongs nothing.
func (u *unanswered) aimed(now time.Duration) {
	if !u.running {
		u.since, u.running = now, true
	}
}

// returns takes a packet that was let in from where our sound goes.
func (u *unanswered) returns() { u.running, u.stopped = false, false }

// due works out, now and then, whether the sound for a host is to stop.
func (u *unanswered) due(to, signals netip.Addr, now, most time.Duration) (stops bool) {
	was := u.stopped
	third := to.IsValid() && signals.IsValid() && to != signals
	u.stopped = u.running && third && now-u.since >= most
	return u.stopped && !was
}
