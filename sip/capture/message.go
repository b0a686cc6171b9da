package capture

import (
	"bytes"
	"net/netip"
	"strings"
	"time"
)

// Message is one SIP message as it crossed a socket of ours.
type Message struct {
	At      time.Time
	Out     bool           // we sent it
	Network string         // udp, tcp, tls, ws or wss
	Local   netip.AddrPort // our end
	Remote  netip.AddrPort // the far end
	Data    []byte         // the octets, without what nobody may see
}

// Summary is the first line in short: the method and for whom, or the status.
func (m Message) Summary() string {
	line, _, _ := bytes.Cut(m.Data, []byte("\r\n"))
	text := string(line)
	if status, ok := strings.CutPrefix(text, "SIP/2.0 "); ok {
		return clip(status)
	}
	return clip(strings.TrimSuffix(text, " SIP/2.0"))
}

const maxSummary = 160

func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if len(s) > maxSummary {
		return strings.ToValidUTF8(s[:maxSummary], "") + "…"
	}
	return s
}

// fields calls f with each header line of a message, name and value, until f
// says that it has seen enough. The slices are parts of data; the value of a
// header that is folded goes on over its lines (RFC 3261 §7.3.1).
func fields(data []byte, f func(name, value []byte) bool) {
	_, rest, _ := bytes.Cut(data, []byte("\n"))
	for len(rest) > 0 {
		end := lineEnd(rest)
		for emptyLine(rest) == 0 && end < len(rest) && (rest[end] == ' ' || rest[end] == '\t') {
			end += lineEnd(rest[end:])
		}
		line := bytes.TrimSuffix(rest[:end], []byte("\n"))
		rest = rest[end:]
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			return
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if ok && !f(bytes.TrimSpace(name), value) {
			return
		}
	}
}

// field is the value of a header by its long name in lower case or its compact
// form (RFC 3261 §7.3.3).
func field(data []byte, long, compact string) (out []byte) {
	fields(data, func(name, value []byte) bool {
		if !is(name, long) && !is(name, compact) {
			return true
		}
		out = bytes.TrimSpace(value)
		return false
	})
	return out
}

// is compares without a copy; name in lower case.
func is(b []byte, name string) bool {
	if len(b) != len(name) {
		return false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != name[i] {
			return false
		}
	}
	return true
}

// body is what follows the empty line.
func body(data []byte) []byte {
	for rest := data; len(rest) > 0; rest = rest[lineEnd(rest):] {
		if n := emptyLine(rest); n > 0 {
			return rest[n:]
		}
	}
	return nil
}

// lineEnd is where the next line begins.
func lineEnd(b []byte) int {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return i + 1
	}
	return len(b)
}

// emptyLine is the length of the empty line that b begins with; 0: of none.
func emptyLine(b []byte) int {
	switch {
	case bytes.HasPrefix(b, []byte("\r\n")):
		return 2
	case bytes.HasPrefix(b, []byte("\n")):
		return 1
	}
	return 0
}
