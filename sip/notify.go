package sip

import (
	"cmp"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// eventsHeader names the event packages that we have (RFC 6665 §4.4.4).
var eventsHeader = Header{"Allow-Events", packageSummary + ", refer"}

const packageSummary = "message-summary"

// eventOf is the event package of a request, and its id.
func eventOf(req *sipmsg.Request) (pkg, id string) {
	v, _ := value(req, "event")
	pkg, rest, _ := strings.Cut(v, ";")
	for p := range strings.SplitSeq(rest, ";") {
		if name, value, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(name), "id") {
			id = strings.TrimSpace(value)
		}
	}
	return strings.ToLower(strings.TrimSpace(pkg)), id
}

// notified is the answer to a NOTIFY: we have subscribed to nothing (RFC 6665
// §4.1.3), and know only these packages.
func notified(req *sipmsg.Request) (code int) {
	switch pkg, _ := eventOf(req); pkg {
	case packageSummary, "refer":
		return 481
	}
	return 489
}

// receiveOther answers the methods that neither begin a call nor belong to one.
// Who they come from is asked first: a stranger learns nothing.
func (e *Endpoint) receiveOther(a arrival) {
	who, ok := e.admit(a)
	if !ok {
		return
	}
	switch a.req.Method {
	case sipmsg.SUBSCRIBE:
		e.receiveSubscribe(a, who)
	case sipmsg.NOTIFY:
		e.refuse(a, notified(a.req), eventsHeader)
	case sipmsg.REFER:
		// Nobody is called because somebody asks for it outside of a call.
		e.refuse(a, 403)
	default:
		e.refuse(a, cmp.Or(unfit(a.req), 405), allowHeader)
	}
}
