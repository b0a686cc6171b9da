package sip

import (
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// missing names a header without which nothing can be done.
func missing(msg sipmsg.Message) string {
	switch {
	case msg.Via() == nil:
		return "Via"
	case msg.From() == nil:
		return "From"
	case msg.To() == nil:
		return "To"
	case msg.CallID() == nil:
		return "Call-ID"
	case msg.CSeq() == nil:
		return "CSeq"
	}
	return ""
}

const maxHeaders = 200

// sane gives the status that refuses what is no sound request, or 0.
func sane(req *sipmsg.Request) int {
	if req.SipVersion != "SIP/2.0" {
		return 505
	}
	if missing(req) != "" || len(req.Headers()) > maxHeaders {
		return 400
	}
	for _, name := range []string{"from", "to", "call-id", "cseq", "max-forwards", "content-length", "content-type"} {
		if len(req.GetHeaders(name)) > 1 {
			return 400 // two readers could see two different requests
		}
	}
	if !strings.EqualFold(strings.TrimSpace(string(req.CSeq().MethodName)), string(req.Method)) {
		return 400
	}
	if headersOf(req.Recipient.String()) >= 0 {
		return 400 // RFC 3261 §19.1.1: no headers in a Request-URI
	}
	if n := req.ContentLength(); n != nil && int(*n) != len(req.Body()) {
		return 400
	}
	if h := req.MaxForwards(); h != nil && h.Val() > 255 {
		return 400
	}
	return 0
}
