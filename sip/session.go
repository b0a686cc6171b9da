package sip

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"b2bua/internal/loop"

	sipmsg "github.com/emiago/sipgo/sip"
)

// leastSE is the shortest session interval there is (RFC 4028 §4).
const leastSE = 90 * time.Second

// maxSE is the longest that a Min-SE alone can make a session last unrefreshed.
const maxSE = 24 * time.Hour

const statusTooSmall = 422 // Session Interval Too Small (RFC 4028 §6)

// sessionTimer is the timer of RFC 4028: somebody says now and then that the session
// is alive, and when nobody does it is over.
type sessionTimer struct {
	terms
	least   time.Duration // what the far end's 422 asked for
	raised  int           // how often it has asked for more, in a row
	refresh *loop.Timer
	expiry  *loop.Timer
}

// terms are what two ends agreed on.
type terms struct {
	interval time.Duration // 0 when there is no timer
	ours     bool          // we refresh
	mutual   bool          // the far end keeps the time, too
	answer   []Header      // what our 2xx says about it
}

// headers are those of a 2xx that opens, or refreshes, a session.
func (t terms) headers() []Header {
	if len(t.answer) == 0 {
		return sessionHeaders
	}
	return append(append([]Header{}, sessionHeaders...), t.answer...)
}

// sessionExpires reads that header; who is "uac", "uas" or empty. One that names
// no time counts as absent (RFC 3261 §8.2.2).
func sessionExpires(msg interface{ Headers() []sipmsg.Header }) (interval time.Duration, who string, ok bool) {
	interval, ok = duration(msg, "session-expires")
	if !ok {
		return 0, "", false
	}
	v, _ := value(msg, "session-expires")
	for p := range strings.SplitSeq(v, ";") {
		name, arg, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "refresher") {
			who = strings.ToLower(strings.TrimSpace(arg))
		}
	}
	return interval, who, true
}

func minSE(msg interface{ Headers() []sipmsg.Header }) time.Duration {
	d, _ := duration(msg, "min-se")
	return d
}

func inSeconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// tooBrief gives what refuses, with 422, a session interval that is shorter than
// we agree to. Who has never heard of timers could not make a better offer.
func (e *Endpoint) tooBrief(req *sipmsg.Request) *Header {
	if interval, _, ok := sessionExpires(req); ok && interval < e.cfg.MinSE && can(req, "timer") {
		return &Header{"Min-SE", inSeconds(e.cfg.MinSE)}
	}
	return nil
}

// timed finds the terms for the 2xx to a request that opens or refreshes the
// session (RFC 4028 §9), or the Min-SE of its refusal.
func (l *Leg) timed(req *sipmsg.Request) (t terms, refusal *Header) {
	switch req.Method {
	case sipmsg.INVITE:
	case sipmsg.UPDATE:
		if l.State() <= StateEarly {
			return t, nil // there is no session yet
		}
	default:
		return t, nil
	}
	if h := l.ep.tooBrief(req); h != nil {
		return t, h
	}
	asked, who, _ := sessionExpires(req)
	t.interval = asked
	if own := l.ep.cfg.SessionExpires; own > 0 && (asked == 0 || own < asked) {
		// Not below what the far end can do, nor above what it has asked for.
		t.interval = max(own, min(minSE(req), cmp.Or(asked, maxSE)))
	}
	if t.interval == 0 {
		return t, nil
	}
	t.interval = max(t.interval, leastSE)
	t.mutual = can(req, "timer")
	switch {
	case !t.mutual, who == "uas":
		t.ours = true
	case who != "uac":
		// Left to us: who refreshes finds out when the other end is gone, and
		// nobody depends on how well others do it.
		t.ours = l.session.interval == 0 || l.session.ours
	}
	if t.ours {
		t.answer = []Header{{"Session-Expires", inSeconds(t.interval) + ";refresher=uas"}}
	} else {
		t.answer = []Header{{"Session-Expires", inSeconds(t.interval) + ";refresher=uac"}, {"Require", "timer"}}
	}
	return t, nil
}

// wishes are the timer headers of an INVITE or UPDATE of ours (RFC 4028 §7.1,
// §7.4). Who refreshes is left to the far end, until it has been agreed.
func (l *Leg) wishes() []Header {
	interval := l.asking()
	if interval == 0 {
		return nil
	}
	who := ""
	switch s := &l.session; {
	case s.interval == 0:
	case s.ours:
		who = ";refresher=uac"
	default:
		who = ";refresher=uas"
	}
	return []Header{{"Session-Expires", inSeconds(interval) + who}, {"Min-SE", inSeconds(max(l.ep.cfg.MinSE, l.session.least))}}
}

// asking is the interval we ask for; 0 for none.
func (l *Leg) asking() time.Duration {
	s := &l.session
	if s.interval > 0 {
		return max(s.interval, s.least)
	}
	if own := l.ep.cfg.SessionExpires; own > 0 {
		return max(own, s.least)
	}
	return 0
}

// timedBy takes the terms of a 2xx to a request of ours (RFC 4028 §7.2). Without
// any we refresh for our own sake.
func (l *Leg) timedBy(res *sipmsg.Response) {
	interval, who, _ := sessionExpires(res)
	if interval > 0 {
		l.keep(terms{interval: max(interval, leastSE), ours: who != "uas", mutual: true})
		return
	}
	l.keep(terms{interval: l.asking(), ours: true})
}

// longer notes the Min-SE of a 422 and reports whether asking again makes sense.
func (l *Leg) longer(res *sipmsg.Response) bool {
	least := minSE(res)
	if res.StatusCode != statusTooSmall || least <= l.asking() || l.session.raised >= maxLonger {
		return false
	}
	l.session.least = least
	l.session.raised++
	return true
}
