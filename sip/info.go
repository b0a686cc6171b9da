package sip

import (
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// infoTypes are the INFO bodies somebody may want: digits (the legacy usage of
// RFC 6086 §1) and requests for a video refresh, which are harmless.
var infoTypes = []string{"application/dtmf-relay", "application/dtmf", "application/media_control+xml", "audio/telephone-event"}

func (l *Leg) receiveInfo(tx *serverTx) {
	contentType, _ := value(tx.req, "content-type")
	body := tx.req.Body()
	if len(body) == 0 {
		tx.reply(200) // a keepalive
		return
	}
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	for _, known := range infoTypes {
		if kind == known {
			tx.reply(200)
			l.tell(InfoReceived{ContentType: kind, Body: body})
			return
		}
	}
	tx.reply(415, Header{"Accept", strings.Join(infoTypes, ", ")})
}

// info sends an INFO. How it is answered changes nothing, except that the far
// end may say that the dialog is gone.
func (l *Leg) info(contentType string, body []byte) {
	if !l.is(StateConfirmed) || len(body) > maxBody {
		return
	}
	l.transact("INFO", func(r *request) {
		r.contentType, r.content = plain(contentType), body
	}, func(res *sipmsg.Response) { l.lost(res.StatusCode, res.Reason) }, func(error) {})
}

// lost ends a dialog that the far end does not know any more (RFC 5057 §5.1) and
// reports whether it did.
func (l *Leg) lost(code int, reason string) bool {
	if code != 481 && code != 408 || l.State() >= StateEnded {
		return code == 481 || code == 408
	}
	l.tell(Ended{By: ByTransport, Code: code, Reason: plain(reason)})
	l.bye(Reason{Protocol: "SIP", Cause: code})
	return true
}
