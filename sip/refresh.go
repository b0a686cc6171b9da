package sip

import (
	"bytes"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// refreshPause is how long a refresh waits that could not be made, or failed.
const refreshPause = 10 * time.Second

// keep begins the time of the session anew, on the newest terms.
func (l *Leg) keep(t terms) {
	s := &l.session
	s.stop()
	s.terms, s.raised = t, 0
	if t.interval == 0 || l.is(StateEnded) {
		return
	}
	// RFC 4028 §10: a little before the end, to be there before the others.
	s.expiry = l.after(t.interval-min(lifetime, t.interval/3), l.expire)
	if t.ours {
		s.refresh = l.after(t.interval/2, l.refreshSession)
	}
}

func (s *sessionTimer) stop() {
	s.refresh.Stop()
	s.expiry.Stop()
	s.refresh, s.expiry = nil, nil
}

// expire ends a session that nobody has refreshed.
func (l *Leg) expire() {
	if !l.is(StateConfirmed) {
		return
	}
	l.log.Info("session expired", "dialog", l.dialog.callID)
	l.tell(Ended{By: ByExpiry, Code: 408, Reason: "Session expired"})
	l.bye(Reason{Protocol: "SIP", Cause: 408, Text: "Session expired"})
}

// refreshSession says that the session is alive: by UPDATE without an offer, or
// by an INVITE with the description there is (RFC 4028 §7.4).
func (l *Leg) refreshSession() {
	s, d := &l.session, l.dialog
	s.refresh = nil
	if !l.is(StateConfirmed) {
		return
	}
	if l.reoffer != nil || l.offered != nil || l.accepted != nil { // that refreshes, too
		s.refresh = l.after(refreshPause, l.refreshSession)
		return
	}
	if !d.updates && d.said != nil {
		l.reoffer = &reoffer{sdp: d.said, refresh: true}
		l.reofferNow()
		return
	}
	l.transact("UPDATE", func(r *request) {
		r.headers = append([]Header{{"Contact", d.contact}, allowHeader, supportedHeader}, l.wishes()...)
	}, func(res *sipmsg.Response) {
		if res.StatusCode >= 300 {
			l.notRefreshed(res.StatusCode, res.Reason, l.longer(res))
			return
		}
		l.refresh(d, res)
		if l.State() < StateEnded {
			l.timedBy(res)
		}
	}, func(err error) {
		code, reason := verdict(err)
		l.notRefreshed(code, reason, false)
	})
}

// notRefreshed: what a refusal of a refresh means. again asks at once for what
// the far end wants.
func (l *Leg) notRefreshed(code int, reason string, again bool) {
	s := &l.session
	switch {
	case l.State() >= StateEnded, l.lost(code, reason):
	case code == 405 || code == 501:
		if !l.dialog.updates {
			l.alive()
			return
		}
		l.dialog.updates = false // it promised more than it can do
		l.refreshSession()
	case again:
		l.refreshSession()
	case code == 491:
		s.refresh = l.after(l.glarePause(), l.refreshSession)
	case !s.mutual:
		l.alive()
	default:
		s.refresh = l.after(refreshPause, l.refreshSession)
	}
}

// alive: a far end without a timer of its own has answered, if only to refuse.
func (l *Leg) alive() {
	if t := l.session.terms; !t.mutual {
		l.keep(t)
	}
}

// refreshed is the end of a refresh by INVITE. The answer is told when it is
// another one than before.
func (l *Leg) refreshed(sdp []byte) {
	if len(sdp) > 0 && !bytes.Equal(sdp, l.dialog.theirs) {
		l.dialog.theirs = sdp
		l.tell(Reanswered{SDP: sdp})
	}
}
