package sip

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// When a registration is refreshed, and when it is tried again.

// refreshAfter is when to refresh what was granted: at a random point of its last
// fifth, so that those who registered together do not come back together; and
// early enough for a REGISTER to be repeated until its time-out.
func refreshAfter(granted time.Duration, random float64) time.Duration {
	ahead := time.Duration(float64(granted) * (0.05 + 0.15*random))
	ahead = max(ahead, min(lifetime, granted/2))
	return max(granted-ahead, shortestRefresh)
}

// shortestRefresh keeps a registrar that grants next to nothing from being asked
// all the time.
const shortestRefresh = 5 * time.Second

// Bases and limits of the back-off. Who cannot be reached, or cannot serve, may
// be back any moment. Who refuses has to be talked to first.
const (
	troubleBase, troubleMost = 5 * time.Second, 5 * time.Minute
	refusalBase, refusalMost = 15 * time.Second, 30 * time.Minute
)

// backOff is how long to wait after so many failures before this one: the rule
// of RFC 5626 §4.5, half of it left to chance.
func backOff(code, failures int, random float64) time.Duration {
	base, most := troubleBase, troubleMost
	if refusal(code) {
		base, most = refusalBase, refusalMost
	}
	bound := most
	if failures < 16 {
		bound = min(most, base<<(failures+1))
	}
	return time.Duration(float64(bound) * (0.5 + 0.5*random))
}

// refusal reports whether a code says that the registrar does not want us, other
// than that it, or the way to it, has trouble.
func refusal(code int) bool {
	switch code {
	case 408, 480, 491:
		return false
	}
	return code >= 200 && code < 500 || code >= 600
}

// grantedBy is how long the registrar keeps us: what stands beside our Contact in
// its list, else in the Expires header, else what was asked for (RFC 3261
// §10.2.4). 0 means that it has not taken us in.
func grantedBy(r reply, user string, wish time.Duration) time.Duration {
	whole := wish
	if v, ok := value(r.res, "expires"); ok {
		whole = expiry(v)
	}
	host, port := r.way.sock.host(r.way.remote.Addr()), r.way.sock.port
	var only *sipmsg.ContactHeader
	contacts := r.res.GetHeaders("contact")
	for _, h := range contacts {
		c, ok := h.(*sipmsg.ContactHeader)
		if !ok || c.Address.Wildcard {
			continue
		}
		if unescape(c.Address.User) == user && strings.EqualFold(strings.Trim(c.Address.Host, "[]"), strings.Trim(host, "[]")) &&
			strconv.Itoa(cmp.Or(c.Address.Port, 5060)) == port {
			return bounded(c, whole)
		}
		only = c
	}
	if len(contacts) == 1 && only != nil {
		// Some write the address that they see, which NAT has changed.
		return bounded(only, whole)
	}
	return min(whole, maxWish)
}

func bounded(c *sipmsg.ContactHeader, whole time.Duration) time.Duration {
	if v, ok := param(c.Params, "expires"); ok {
		whole = expiry(v)
	}
	return min(whole, maxWish)
}
