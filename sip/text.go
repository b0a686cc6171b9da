package sip

import (
	"net/netip"
	"strings"
	"unicode"
)

// This file is the only door for text of an owner into a message: nothing that
// comes through it can end a line, a quoted string or a URI (RFC 3261 §25.1).

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// plain drops control characters.
func plain(s string) string {
	if !strings.ContainsFunc(s, isControl) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return -1
		}
		return r
	}, s)
}

const maxText = 256

// printable drops what has no business in a name that a phone shows: controls of
// every alphabet, marks that turn the direction of text, what is no UTF-8.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}

var quotedPairs = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// quoted makes a quoted string of any text.
func quoted(s string) string {
	s = printable(s)
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return `"` + quotedPairs.Replace(s) + `"`
}

const tokenMarks = "-.!%*_+`'~"

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isToken is RFC 3261's token.
func isToken(s string) bool {
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && !strings.Contains(tokenMarks, s[i:i+1]) {
			return false
		}
	}
	return s != ""
}

// isHost accepts an address or a host name.
func isHost(s string) bool {
	if _, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return true
	}
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && s[i] != '-' && s[i] != '.' && s[i] != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 255
}

// userMarks are mark and user-unreserved without what could confuse a reader.
const userMarks = "-_.!~*'()&=+$,/"

// escapeUser makes the user part of a URI of any text.
func escapeUser(s string) string {
	const hex = "0123456789ABCDEF"
	s = plain(s)
	if len(s) > maxText {
		s = s[:maxText]
	}
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case isAlphanumeric(c), strings.IndexByte(userMarks, c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteString(string([]byte{'%', hex[c>>4], hex[c&15]}))
		}
	}
	return b.String()
}

// unescape undoes %XX; what is not an escape stays, and so does one that would
// become a control character.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if c := hi<<4 | lo; hi >= 0 && lo >= 0 && !isControl(rune(c)) {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// hostText writes an address or name as a URI needs it, IPv6 in brackets.
func hostText(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}
