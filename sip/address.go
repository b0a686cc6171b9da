package sip

import (
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// This file is the only reader of addresses in headers that come as text: of
// Refer-To, Referred-By, P-Asserted-Identity, Diversion, History-Info, Route.

// nameAddr is a name-addr or an addr-spec with the parameters of its header field
// (RFC 3261 §20, §25.1).
type nameAddr struct {
	display string // unescaped
	uri     string // as written, with its headers
	params  string // with their semicolons
}

// readNameAddr reads one of them. A list of several is none.
func readNameAddr(v string) (a nameAddr, ok bool) {
	v = strings.TrimSpace(v)
	rest := v
	if strings.HasPrefix(v, `"`) {
		end := closingQuote(v)
		if end < 0 {
			return nameAddr{}, false
		}
		if rest = strings.TrimSpace(v[end+1:]); !strings.HasPrefix(rest, "<") {
			return nameAddr{}, false
		}
		a.display = displayOf(v[:end+1])
	}
	open := strings.IndexByte(rest, '<')
	if open < 0 {
		// What follows an addr-spec belongs to the header (RFC 3261 §20).
		if i := strings.IndexByte(rest, ';'); i >= 0 {
			rest, a.params = rest[:i], rest[i:]
		}
		a.uri = strings.TrimSpace(rest)
		return a, a.uri != "" && !strings.ContainsAny(a.uri, ",>\"") && single(a.params)
	}
	if open > 0 {
		a.display = displayOf(rest[:open])
		if strings.ContainsAny(rest[:open], ":,;\"") {
			return nameAddr{}, false
		}
	}
	uri, params, ok := strings.Cut(rest[open+1:], ">")
	a.uri, a.params = strings.TrimSpace(uri), strings.TrimSpace(params)
	return a, ok && a.uri != "" && !strings.Contains(a.uri, "<") && (a.params == "" || a.params[0] == ';') && single(a.params)
}

// closingQuote is where the quoted string that v begins with ends, or -1.
func closingQuote(v string) int {
	for i := 1; i < len(v); i++ {
		switch v[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// single reports whether parameters are those of one address, not the beginning
// of another.
func single(params string) bool {
	return len(elements(params)) < 2 && !strings.HasSuffix(params, ",")
}

// param gives a parameter of the header field.
func (a nameAddr) param(name string) string {
	for p := range strings.SplitSeq(a.params, ";") {
		if k, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// readURI reads a sip, sips or tel URI without headers.
func readURI(text string) (u sipmsg.Uri, ok bool) {
	if strings.ContainsFunc(text, func(r rune) bool { return isControl(r) || r == ' ' || r == '<' || r == '>' || r == '"' }) {
		return u, false
	}
	if err := sipmsg.ParseUri(text, &u); err != nil {
		return u, false
	}
	switch u.Scheme {
	case "tel":
		u.Host = ""
		return u, true
	case "sip", "sips":
		return u, isHost(u.Host) && u.Port >= 0 && u.Port < 1<<16
	}
	return u, false
}

// maxElements is how many elements of a list are read.
const maxElements = 20

// elements splits a header value at the commas between its elements.
func elements(v string) (list []string) {
	begin, quote, angle := 0, false, false
	for i := 0; i < len(v) && len(list) < maxElements; i++ {
		switch c := v[i]; {
		case quote && c == '\\':
			i++
		case c == '"' && !angle:
			quote = !quote
		case quote:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == ',' && !angle:
			list = append(list, strings.TrimSpace(v[begin:i]))
			begin = i + 1
		}
	}
	if rest := strings.TrimSpace(v[begin:]); rest != "" && len(list) < maxElements {
		list = append(list, rest)
	}
	return list
}
