package sip

import (
	"strconv"
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// canonical is a header name in lower case and long form (RFC 3261 §7.3.3).
func canonical(name string) string {
	name = strings.ToLower(name)
	if long, ok := compact[name]; ok {
		return long
	}
	return name
}

var compact = map[string]string{
	"a": "accept-contact", "b": "referred-by", "c": "content-type", "e": "content-encoding", "f": "from",
	"i": "call-id", "k": "supported", "l": "content-length", "m": "contact", "o": "event", "r": "refer-to",
	"s": "subject", "t": "to", "u": "allow-events", "v": "via", "x": "session-expires",
}

// named reports whether a header is the one of a long name, in lower case. It
// makes nothing new of either: headers are looked for often.
func named(header, name string) bool {
	if len(header) == 1 {
		return canonical(header) == name
	}
	return strings.EqualFold(header, name)
}

// value gives a header field by its long name.
func value(msg interface{ Headers() []sipmsg.Header }, name string) (string, bool) {
	for _, h := range msg.Headers() {
		if named(h.Name(), name) {
			return h.Value(), true
		}
	}
	return "", false
}

// most is the longest time that a header can name: whoever names a longer one
// means "long".
const most = 1 << 20

// seconds reads the number a header like Retry-After begins with; false when it
// begins with none.
func seconds(v string) (n int, ok bool) {
	digits := strings.TrimSpace(v)
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			digits = digits[:i]
			break
		}
	}
	if digits == "" {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n > most {
		return most, true // they are digits, so it is too many
	}
	return n, true
}

// duration reads the header of a name that begins with a number of seconds; false
// when it is absent or malformed.
func duration(msg interface{ Headers() []sipmsg.Header }, name string) (time.Duration, bool) {
	v, _ := value(msg, name)
	n, ok := seconds(v)
	return time.Duration(n) * time.Second, ok
}
