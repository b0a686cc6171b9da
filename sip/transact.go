package sip

import (
	"errors"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// transact sends a request within the dialog and hands over the final response,
// or why there is none, in the box. Challenges are answered.
func (l *Leg) transact(method string, fill func(*request), final func(*sipmsg.Response), failed func(error)) {
	l.within(l.dialog, method, fill, final, failed)
}

// within is transact for one of several dialogs.
func (l *Leg) within(d *dialog, method string, fill func(*request), final func(*sipmsg.Response), failed func(error)) {
	l.attempt(d, method, fill, final, failed, trial{})
}

func (l *Leg) attempt(d *dialog, method string, fill func(*request), final func(*sipmsg.Response), failed func(error), t trial) {
	r := d.request(method)
	if fill != nil {
		fill(r)
	}
	way := d.next
	r.headers = append(r.headers, l.proves(way, method, r.uri)...)
	l.ep.request(way, r, func(res *sipmsg.Response) {
		if res.StatusCode < 200 {
			return
		}
		l.box.post(func() {
			if l.challenged(res, way, t) {
				l.attempt(d, method, fill, final, failed, t)
				return
			}
			final(res)
		})
	}, func(err error) { l.box.post(func() { failed(err) }) })
}

// proves gives the answers to what was challenged before, for a request that goes
// a way: only the target that the password was configured for gets them.
func (l *Leg) proves(way flow, method, uri string) []Header {
	if way.remote.Addr().Unmap() != l.host {
		return nil
	}
	return l.account.answers(method, uri)
}

// challenged takes a 401 or 407 (RFC 3261 §22), and reports whether the request is
// to be sent again, with an answer. A Contact or Record-Route may send the dialog
// to somebody else, who is not to collect answers to challenges of his own. An
// inbound leg has no password, so a caller can never make us prove anything.
func (l *Leg) challenged(res *sipmsg.Response, way flow, t trial) bool {
	switch res.StatusCode {
	case sipmsg.StatusUnauthorized, sipmsg.StatusProxyAuthRequired:
	default:
		return false
	}
	if l.account.username == "" {
		return false
	}
	if way.remote.Addr().Unmap() != l.host {
		l.log.Warn("challenge of a host that has no business with it", "source", way.remote)
		return false
	}
	if err := l.account.challenged(res, t); err != nil {
		l.log.Info("challenge not answered", "err", err)
		return false
	}
	return true
}

// verdict is the status that a lack of response stands for (RFC 3261 §8.1.3.1).
func verdict(err error) (code int, reason string) {
	if errors.Is(err, errTimeout) {
		return 408, "Request Timeout"
	}
	return 503, "Service Unavailable"
}

// retryAfter reads the header of that name.
func retryAfter(res *sipmsg.Response) time.Duration {
	d, _ := duration(res, "retry-after")
	return d
}
