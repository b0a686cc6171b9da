package dtmf

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The content types digits travel under in SIP INFO.
const (
	TypeRelay = "application/dtmf-relay"
	TypePlain = "application/dtmf"
)

// Errors of INFO bodies.
var (
	// ErrContentType: this INFO is about something else; the answer is 415.
	ErrContentType = errors.New("dtmf: not a digit content type")
	// ErrBody: it claims to be a digit and is none; the answer is 400.
	ErrBody = errors.New("dtmf: malformed digit body")
)

const (
	maxInfoBody = 1024
	// maxInfoDuration is how long a key may be said to have been held.
	maxInfoDuration = 5 * time.Second
)

// ParseInfo reads the digit of a SIP INFO: dtmf-relay bodies with Signal= and
// Duration= lines, and dtmf bodies that hold nothing but the digit.
func ParseInfo(contentType string, body []byte) (Digit, error) {
	kind := ContentType(contentType)
	if kind != TypeRelay && kind != TypePlain {
		return Digit{}, fmt.Errorf("%w: %.60q", ErrContentType, contentType)
	}
	if len(body) > maxInfoBody {
		return Digit{}, fmt.Errorf("%w: %d octets", ErrBody, len(body))
	}
	text := strings.TrimSpace(string(body))
	d := Digit{Duration: DefaultDuration, Method: MethodInfo}
	signal := text
	// Some send the lines of dtmf-relay as plain dtmf.
	if kind == TypeRelay || strings.Contains(text, "=") {
		signal = ""
		for line := range strings.Lines(text) {
			name, value, _ := strings.Cut(line, "=")
			value = strings.TrimSpace(value)
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "signal":
				signal = value
			case "duration":
				d.Duration = infoDuration(value)
			}
		}
	}
	s, ok := infoSymbol(signal)
	if !ok {
		// The body is not quoted: it may be a digit of a secret.
		return Digit{}, fmt.Errorf("%w: no key in it", ErrBody)
	}
	d.Symbol = s
	return d, nil
}

// ContentType is a content type without its parameters, in lower case.
func ContentType(header string) string {
	kind, _, _ := strings.Cut(header, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// infoSymbol reads the key itself, or its event code as some phones send it. The
// hook flash comes as its code, or by name.
func infoSymbol(v string) (byte, bool) {
	v = strings.Trim(v, `"`)
	if len(v) == 1 {
		if code, ok := Code(v[0]); ok {
			return symbols[code], true
		}
		return 0, false
	}
	if strings.EqualFold(v, "hf") || strings.EqualFold(v, "flash") {
		return Flash, true
	}
	code, err := strconv.ParseUint(v, 10, 8)
	if err != nil || code < 10 {
		return 0, false
	}
	return Symbol(byte(code))
}

func infoDuration(v string) time.Duration {
	ms, err := strconv.ParseUint(v, 10, 32)
	if err != nil || ms == 0 {
		return DefaultDuration
	}
	return min(time.Duration(ms)*time.Millisecond, maxInfoDuration)
}

// InfoBody writes the body of a digit in the given content type; any other than
// TypePlain is TypeRelay.
func InfoBody(contentType string, d Digit) (kind string, body []byte) {
	symbol := string(rune(d.Symbol))
	if d.Symbol == Flash {
		symbol = "16"
	}
	if contentType == TypePlain {
		return TypePlain, []byte(symbol)
	}
	ms := d.Duration.Milliseconds()
	if ms <= 0 {
		ms = DefaultDuration.Milliseconds()
	}
	return TypeRelay, fmt.Appendf(nil, "Signal=%s\r\nDuration=%d\r\n", symbol, ms)
}
