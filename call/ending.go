package call

import (
	"errors"

	"b2bua/flows"
	"b2bua/media"
	"b2bua/media/sdp"
	"b2bua/sip"
)

// ending is how a call ends. The first one wins.
type ending struct {
	reason string     // completion_reason or failure_reason
	source string     // who hung up
	code   int        // to a caller not yet answered
	text   string     // its reason phrase
	far    sipStatus  // what the far end said, word for word, when that ended the call
	failed bool       // call.failed even though the caller was answered
	why    sip.Reason // told to parties that are still connected
	hint   sip.Header // tells a caller not yet answered more than the code does
}

// sipStatus is a status code and reason phrase; code 0 means none.
type sipStatus struct {
	code int
	text string
}

// Who ends a call, as hangup_source.
const (
	byCaller = "caller"
	byCallee = "callee"
	bySystem = "system"
	byAPI    = "api"
)

// RoutingFailed is the failure reason, and the API's error slug, of a call for
// which every routing attempt failed.
const RoutingFailed = "routing_failed"

var shutdown = ending{
	reason: string(flows.ServerShutdown), source: bySystem, code: 503, text: "Service Unavailable",
	why: sip.Reason{Protocol: "SIP", Cause: 503, Text: "Server shutting down"},
}

// callerEnded: the caller sent BYE or CANCEL, or is out of reach.
func callerEnded(ev sip.Ended, answered bool) ending {
	e := ending{source: byCaller, far: sipStatus{ev.Code, ev.Reason}, why: parseReason(ev.ReasonHeader)}
	switch {
	case ev.By == sip.ByCancel:
		e.reason, e.far = string(flows.CallerCancelled), sipStatus{487, "Request Terminated"}
	case ev.By == sip.ByAckTimeout:
		e.reason, e.source = "ack_timeout", bySystem
	case ev.By == sip.ByTransport:
		e.reason, e.source = "connection_lost", bySystem
	case ev.By == sip.ByExpiry:
		return expired(ev)
	case answered:
		e.reason = "hangup"
	default:
		e.reason = string(flows.CallerCancelled)
	}
	return e
}

// expired: a party has not refreshed its session in time (RFC 4028 section 10).
func expired(ev sip.Ended) ending {
	return ending{
		reason: string(flows.SessionExpired), source: bySystem, far: sipStatus{ev.Code, ev.Reason},
		why: sip.Reason{Protocol: "SIP", Cause: ev.Code, Text: ev.Reason},
	}
}

// fromFlow is the ending that a flow has come to by itself, or because the party
// leftBy hung up.
func fromFlow(e flows.Ending, leftBy string) ending {
	if leftBy != "" {
		return ending{reason: "hangup", source: leftBy}
	}
	code, text := e.Last.Result.ToCaller()
	far := sipStatus{e.Last.SIPCode, e.Last.SIPReason}
	if far.code == 482 || far.code == 483 {
		code, text = far.code, far.text // a loop is told as one, or it goes on elsewhere (RFC 3261 section 16.3)
	}
	if e.Failed {
		return ending{reason: RoutingFailed, source: bySystem, code: code, text: text, far: far, failed: true}
	}
	return ending{reason: e.Reason, source: bySystem, code: code, text: text}
}

func flowHangup(reason string) ending {
	if reason == "" {
		reason = flows.EndHangup
	}
	return ending{reason: reason, source: bySystem, code: 480, text: "Temporarily Unavailable"}
}

// mediaLost: no sound came from a party for too long (contract: not on hold).
func mediaLost(who string) ending {
	return ending{
		reason: string(flows.MediaTimeout), source: bySystem, code: 480, text: "Temporarily Unavailable",
		why: sip.Reason{Protocol: "SIP", Cause: 408, Text: "No RTP from the " + who},
	}
}

// warning tells a far end what is wrong with its session description (RFC 3261
// section 20.43).
func warning(err error) sip.Header { return sip.Warning(sdp.Warning(err)) }

// unacceptable: the caller's session description cannot be answered.
func unacceptable(err error) ending {
	e := ending{reason: string(flows.CodecMismatch), source: bySystem, code: 488, text: "Not Acceptable Here", failed: true, hint: warning(err)}
	if !errors.Is(err, media.ErrNoCommonCodec) {
		e.reason = "invalid_sdp"
	}
	return e
}

// silent: the media engine hears nothing from a leg.
func (c *Call) silent(l *leg) {
	if l.held || l.over || !l.answered || c.ending != nil || !l.sound.Direction().Receives() {
		return // told before the hold that is in force now
	}
	if p := c.waits.pollOf(l); p != nil {
		p.refuse("no sound from the member")
		return
	}
	who := "callee"
	if l == c.caller {
		who = "caller"
	}
	c.end(mediaLost(who))
}

// status is what the record shows: the far end's words where they ended the
// call, else what a caller not yet answered was told.
func (e *ending) status(answered bool) sipStatus {
	if e.far.code != 0 || answered {
		return e.far
	}
	return sipStatus{e.code, e.text}
}
