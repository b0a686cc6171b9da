package sip

import (
	"errors"
	"net/netip"
	"time"

	"b2bua/sip/digest"

	sipmsg "github.com/emiago/sipgo/sip"
)

// transact sends a request within the dialog and hands over the final response,
// or why there is none, in the box. A challenge is answered once.
func (l *Leg) transact(method string, fill func(*request), final func(*sipmsg.Response), failed func(error)) {
	l.within(l.dialog, method, fill, final, failed)
}

// within is transact for one of several dialogs.
func (l *Leg) within(d *dialog, method string, fill func(*request), final func(*sipmsg.Response), failed func(error)) {
	l.attempt(d, method, fill, final, failed, true)
}

func (l *Leg) attempt(d *dialog, method string, fill func(*request), final func(*sipmsg.Response), failed func(error), mayAuthorize bool) {
	r := d.request(method)
	if fill != nil {
		fill(r)
	}
	way := d.next
	l.ep.request(way, r, func(res *sipmsg.Response) {
		if res.StatusCode < 200 {
			return
		}
		l.box.post(func() {
			if mayAuthorize {
				if h, ok := l.authorize(res, method, r.uri, way); ok {
					l.attempt(d, method, func(again *request) {
						if fill != nil {
							fill(again)
						}
						again.headers = append(again.headers, h)
					}, final, failed, false)
					return
				}
			}
			final(res)
		})
	}, func(err error) { l.box.post(func() { failed(err) }) })
}

// credentials answer challenges on a dialled leg. An inbound leg has none, so a
// caller can never make us prove anything to it.
type credentials struct {
	username, password string

	host  netip.Addr // whom they are for: the configured target
	realm string     // of its first challenge
}

// authorize answers a 401 or 407 (RFC 3261 §22). A Contact or Record-Route may
// send the dialog to somebody else, who is not to collect answers to challenges
// of his own: only the target that the password was configured for gets them,
// and only for the realm that it named first.
func (l *Leg) authorize(res *sipmsg.Response, method, uri string, way flow) (Header, bool) {
	ask, answer := "www-authenticate", "Authorization"
	switch res.StatusCode {
	case sipmsg.StatusUnauthorized:
	case sipmsg.StatusProxyAuthRequired:
		ask, answer = "proxy-authenticate", "Proxy-Authorization"
	default:
		return Header{}, false
	}
	if l.username == "" {
		return Header{}, false
	}
	if way.remote.Addr().Unmap() != l.host {
		l.log.Warn("challenge of a host that has no business with it", "source", way.remote)
		return Header{}, false
	}
	var challenges []string
	for _, h := range res.GetHeaders(ask) {
		if f, err := digest.Parse(h.Value()); err == nil && (l.realm == "" || f.Realm == l.realm) {
			challenges = append(challenges, h.Value())
		}
	}
	challenge, err := digest.Choose(challenges)
	if err != nil {
		l.log.Info("challenge not answered", "err", err)
		return Header{}, false
	}
	v, err := digest.Respond(challenge, method, uri, l.username, l.password, 1, nil)
	if err != nil {
		l.log.Info("challenge not answered", "err", err)
		return Header{}, false
	}
	if f, err := digest.Parse(challenge); err == nil {
		l.realm = f.Realm
	}
	return Header{answer, v}, true
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
	v, _ := value(res, "retry-after")
	return time.Duration(seconds(v)) * time.Second
}
