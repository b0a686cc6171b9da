package sip

import (
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// Replaces names a dialog as RFC 3891 does: ToTag is the tag of whoever gets it,
// FromTag that of the far end of that dialog.
type Replaces struct {
	CallID    string
	ToTag     string
	FromTag   string
	EarlyOnly bool // only while the dialog is not confirmed
}

// parseReplaces reads the value of a Replaces header (RFC 3891 §6.1).
func parseReplaces(v string) (r Replaces, ok bool) {
	v = strings.TrimSpace(v)
	if len(v) > maxReplaces || strings.ContainsAny(v, ",<>\"") {
		return r, false
	}
	id, rest, _ := strings.Cut(v, ";")
	r.CallID = strings.TrimSpace(id)
	for p := range strings.SplitSeq(rest, ";") {
		name, value, _ := strings.Cut(p, "=")
		value = strings.TrimSpace(value)
		switch tag := strings.ToLower(strings.TrimSpace(name)); tag {
		case "to-tag", "from-tag":
			to := &r.ToTag
			if tag == "from-tag" {
				to = &r.FromTag
			}
			if *to != "" || !isToken(value) {
				return r, false
			}
			*to = value
		case "early-only":
			r.EarlyOnly = true
		}
	}
	return r, isWord(r.CallID) && r.ToTag != "" && r.FromTag != ""
}

const maxReplaces = 1024

// isWord is what a Call-ID may be: no spaces, no controls, no separators of a
// list (RFC 3261 §25.1, a little wider).
func isWord(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return isControl(r) || r == ' ' || r == ',' || r == ';' })
}

// replacing reads the Replaces header of an INVITE. code refuses it: two of them,
// or one together with Join, make no sense (RFC 3891 §3, RFC 3911 §4).
func replacing(req *sipmsg.Request) (r *Replaces, code int) {
	for _, h := range req.Headers() {
		switch canonical(h.Name()) {
		case "join":
			code = 400
		case "replaces":
			one, ok := parseReplaces(h.Value())
			if !ok || r != nil {
				return nil, 400
			}
			r = &one
		}
	}
	if r == nil {
		return nil, 0 // Join alone is an extension we do not have, and may be ignored
	}
	return r, code
}

// replaceable says whether a dialog may be replaced as r asks; code refuses it
// (RFC 3891 §3).
func (e *Endpoint) replaceable(r Replaces) (code int) {
	l := e.dialog(r)
	switch {
	case l == nil:
		return 481
	case l.is(StateEnded):
		return 603 // it has just ended
	case l.State() <= StateEarly && l.role == uas:
		return 481 // an early dialog is replaced by whom it rings only
	case l.State() > StateEarly && r.EarlyOnly:
		return 486
	}
	return 0
}

// Dialog finds the leg that r names: both tags must be right. An ended leg is
// not found.
func (e *Endpoint) Dialog(r Replaces) (legID string, ok bool) {
	l := e.dialog(r)
	if l == nil || l.is(StateEnded) {
		return "", false
	}
	return l.id, true
}

// dialog finds the leg even when it is over.
func (e *Endpoint) dialog(r Replaces) *Leg {
	l, ok := e.dialogs.get(dialogKey(r.CallID, r.ToTag))
	if !ok {
		return nil
	}
	known := make(chan bool, 1)
	l.box.post(func() { known <- l.knows(r.FromTag) }) // nothing in a box waits for anything
	if !<-known {
		return nil
	}
	return l
}
