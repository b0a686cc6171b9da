package sdp

import (
	"errors"
	"fmt"
)

// Codes of a SIP Warning header (RFC 3261 §20.43) that tell why a description
// cannot be used.
const (
	WarnNetwork   = 300 // incompatible network protocol
	WarnAddress   = 301 // incompatible network address formats
	WarnTransport = 302 // incompatible transport protocol
	WarnMediaType = 304 // media type not available
	WarnFormat    = 305 // incompatible media format
	WarnMulticast = 330 // multicast not available
	WarnOther     = 399
)

// Refusal says why no stream of a description can be used. It is
// ErrNoCommonCodec to errors.Is.
type Refusal struct {
	Code int    // of the Warning header
	Text string // its text: what in the description is meant
}

func (r *Refusal) Error() string { return fmt.Sprintf("%v: %s", ErrNoCommonCodec, r.Text) }

// Unwrap makes every refusal an ErrNoCommonCodec: the SIP answer is 488.
func (r *Refusal) Unwrap() error { return ErrNoCommonCodec }

// Warning is what a SIP Warning header can tell the far end about an error of
// this package. The text has nothing of the far end's in it that was not checked.
func Warning(err error) (code int, text string) {
	var r *Refusal
	switch {
	case errors.As(err, &r):
		return r.Code, r.Text
	case errors.Is(err, ErrNoCommonCodec):
		return WarnFormat, "No codec in common"
	}
	return WarnOther, "Session description cannot be understood"
}
