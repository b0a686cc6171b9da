package sip

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

const (
	maxBody  = 64 << 10
	maxParts = 8
)

// sdpOf gives the session description of a message, nil when it has none.
func sdpOf(msg interface {
	Headers() []sipmsg.Header
	Body() []byte
}) []byte {
	sdp, _ := description(msg)
	return sdp
}

// description finds the session description. code refuses a body that we do not
// understand and are not free to ignore (RFC 3261 §8.2.3).
func description(msg interface {
	Headers() []sipmsg.Header
	Body() []byte
}) (sdp []byte, code int) {
	body := msg.Body()
	if len(body) == 0 {
		return nil, 0
	}
	if len(body) > maxBody {
		return nil, 413
	}
	if v, ok := value(msg, "content-encoding"); ok && !strings.EqualFold(strings.TrimSpace(v), "identity") {
		return nil, 415
	}
	contentType, _ := value(msg, "content-type")
	disposition, _ := value(msg, "content-disposition")
	kind, params, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && kind == sdpType && session(disposition):
		return body, 0
	case err == nil && strings.HasPrefix(kind, "multipart/") && params["boundary"] != "":
		sdp = sdpPart(body, params["boundary"])
	}
	if sdp == nil && !optional(disposition) {
		return nil, 415
	}
	return sdp, 0
}

// sdpPart is the first session description among the parts; parts within parts
// are not looked at.
func sdpPart(body []byte, boundary string) []byte {
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxParts {
		part, err := r.NextRawPart()
		if err != nil {
			return nil
		}
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil || kind != sdpType || !session(part.Header.Get("Content-Disposition")) {
			continue
		}
		sdp, err := io.ReadAll(io.LimitReader(part, maxBody))
		if err == nil && len(sdp) > 0 {
			return sdp
		}
	}
	return nil
}

// session reports whether a body describes the session: that is the default for
// SDP (RFC 3261 §20.11).
func session(disposition string) bool {
	kind, _, _ := strings.Cut(disposition, ";")
	kind = strings.TrimSpace(kind)
	return kind == "" || strings.EqualFold(kind, "session")
}

func optional(disposition string) bool {
	_, params, err := mime.ParseMediaType(disposition)
	return err == nil && strings.EqualFold(params["handling"], "optional")
}
