package sip

import "strings"

// What we can do, as OPTIONS, 405, 415 and every INVITE tell it (RFC 3261 §11).
var (
	allowHeader     = Header{"Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REGISTER, REFER, NOTIFY, SUBSCRIBE"}
	acceptHeader    = Header{"Accept", sdpType}
	encodingHeader  = Header{"Accept-Encoding", "identity"}
	supportedHeader = Header{"Supported", strings.Join(supported, ", ")}

	sessionHeaders = []Header{allowHeader, supportedHeader}
	capabilities   = []Header{allowHeader, acceptHeader, encodingHeader, {"Accept-Language", "en"}, supportedHeader, eventsHeader}
)

// receiveOptions answers a ping or a question about us. Max-Forwards 0 is for us
// to answer too (RFC 3261 §11).
func (e *Endpoint) receiveOptions(a arrival) {
	if unsupported := required(a.req); unsupported != "" {
		e.refuse(a, 420, Header{"Unsupported", unsupported})
		return
	}
	if code, headers := e.drained(); code != 0 {
		e.refuse(a, code, headers...)
		return
	}
	e.refuse(a, 200, capabilities...)
}
