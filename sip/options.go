package sip

import (
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// supported are the extensions we speak, as option tags: reliable provisional
// responses (RFC 3262), session timers (RFC 4028), Replaces (RFC 3891) and REFER
// without a subscription (RFC 4488).
var supported = []string{"100rel", "timer", "replaces", "norefersub", "path"}

// methods are those we know, and whether they are of use within a dialog and
// outside of one (RFC 3261 §8.2.1): what is known and of no use there gets 405,
// the rest 501.
var methods = map[sipmsg.RequestMethod]struct{ within, outside bool }{
	sipmsg.INVITE:    {true, true},
	sipmsg.ACK:       {true, true},
	sipmsg.CANCEL:    {true, true},
	sipmsg.BYE:       {true, true},
	sipmsg.OPTIONS:   {true, true},
	sipmsg.INFO:      {true, true},
	sipmsg.UPDATE:    {true, true},
	sipmsg.PRACK:     {true, true},
	sipmsg.REGISTER:  {false, true},
	sipmsg.REFER:     {true, true},
	sipmsg.SUBSCRIBE: {true, true},
	sipmsg.NOTIFY:    {true, true},
	sipmsg.MESSAGE:   {},
	sipmsg.PUBLISH:   {},
}

// What we can do, as OPTIONS, 405, 415 and every INVITE tell it (RFC 3261 §11).
var (
	allowHeader     = Header{"Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REGISTER, REFER, NOTIFY, SUBSCRIBE"}
	acceptHeader    = Header{"Accept", sdpType}
	encodingHeader  = Header{"Accept-Encoding", "identity"}
	supportedHeader = Header{"Supported", strings.Join(supported, ", ")}

	sessionHeaders = []Header{allowHeader, supportedHeader}
	capabilities   = []Header{allowHeader, acceptHeader, encodingHeader, {"Accept-Language", "en"}, supportedHeader, eventsHeader}
)

// unfit gives the status that refuses a method, or 0.
func unfit(req *sipmsg.Request) int {
	m, known := methods[req.Method]
	within := tagOf(req.To().Params) != ""
	switch {
	case !known:
		return 501
	case within && !m.within, !within && !m.outside:
		return 405
	}
	return 0
}

// required lists the extensions that a request demands and we do not have
// (RFC 3261 §8.2.2.3), but for those that the method alone has. What is demanded of
// an ACK or a CANCEL cannot be refused.
func required(req *sipmsg.Request, too ...string) string {
	var out []string
	for tag := range options(req, "require") {
		if !listed(supported, tag) && !listed(too, tag) && isToken(tag) {
			out = append(out, tag)
		}
	}
	return strings.Join(out, ", ")
}

// options gives what the headers of a name list, such as option tags or methods.
func options(msg interface{ Headers() []sipmsg.Header }, name string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, h := range msg.Headers() {
			if !named(h.Name(), name) {
				continue
			}
			for tag := range strings.SplitSeq(h.Value(), ",") {
				if tag = strings.TrimSpace(tag); tag != "" && !yield(tag) {
					return
				}
			}
		}
	}
}

// lists reports whether the headers of a name list a tag.
func lists(msg interface{ Headers() []sipmsg.Header }, name, tag string) bool {
	for t := range options(msg, name) {
		if strings.EqualFold(t, tag) {
			return true
		}
	}
	return false
}

// can reports whether the sender of a message speaks an extension.
func can(msg interface{ Headers() []sipmsg.Header }, tag string) bool {
	return lists(msg, "supported", tag) || lists(msg, "require", tag)
}

func listed(tags []string, tag string) bool {
	for _, t := range tags {
		if strings.EqualFold(t, tag) {
			return true
		}
	}
	return false
}

// receiveOptions answers a ping or a question about us. Max-Forwards 0 is for us
// to answer too (RFC 3261 §11).
func (e *Endpoint) receiveOptions(a arrival) {
	if unsupported := required(a.req); unsupported != "" {
		e.dismiss(a, 420, Header{"Unsupported", unsupported})
		return
	}
	if code, headers := e.drained(); code != 0 {
		e.dismiss(a, code, headers...)
		return
	}
	e.dismiss(a, 200, capabilities...)
}
