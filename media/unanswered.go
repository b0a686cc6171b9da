package media

import (
	"net/netip"
	"time"
)

// unanswered keeps count of how long we send to hosts that only a description
// has named. Whoever calls may name somebody else's, and be gone, or hold, or ask
// to receive only: then nobody would ever be missed. So sound for a host that is
// not the one that signals stops after Timeout, unless RTP comes back from the very
// address it goes to. The time is that of the whole call: to answer for one host and
// then to name another gains nothing.
type unanswered struct {
	spent   time.Duration // on third hosts that had not answered
	looked  time.Duration // until when spent counts
	proven  bool          // RTP has come from where our sound goes
	stopped bool
}

// aimed: sound goes elsewhere from now on, where nobody has answered yet. What was
// spent until now is counted already, see due.
func (u *unanswered) aimed() { u.proven = false }

// returns takes an RTP packet that was let in from where our sound goes.
func (u *unanswered) returns() { u.proven, u.stopped = true, false }

// due works out, now and then, whether the sound for a host is to stop; sent is
// when something was sent last.
func (u *unanswered) due(to, signals netip.Addr, sent, now, most time.Duration) (stops bool) {
	counts := to.IsValid() && signals.IsValid() && to != signals && !u.proven
	if counts && u.looked > 0 && sent >= u.looked {
		u.spent += now - u.looked
	}
	u.looked = now
	was := u.stopped
	u.stopped = counts && u.spent >= most
	return u.stopped && !was
}

// answered looks whether the sound for a third host has gone on for too long; the
// shard's lock is held.
func (s *Session) answered(now time.Duration) {
	if s.proof.due(s.dest.Addr(), s.trusted, s.out.at, now, s.opts.Timeout) {
		to := s.dest
		s.wake()
		s.shard.Load().later(s, "log", func() { s.log.Info("sound stopped: nothing comes back", "remote", to) })
	}
}
