package dial

import (
	"fmt"
	"strconv"
	"strings"
)

// message is a request or a response as it was read.
type message struct {
	text   string
	method string // of a request, and of the CSeq of a response
	status int    // 0: a request
	body   string
}

// parse reads what a switch wrote. It is no parser for strangers: headers have
// their long names and stand on one line.
func parse(b []byte) (message, bool) {
	m := message{text: string(b)}
	head, body, ok := strings.Cut(m.text, "\r\n\r\n")
	if !ok {
		return m, false
	}
	m.text, m.body = head+"\r\n", body
	first, _, _ := strings.Cut(head, " ")
	if first != "SIP/2.0" {
		m.method = first
		return m, m.header("Call-ID") != ""
	}
	status, _, _ := strings.Cut(strings.TrimPrefix(head, "SIP/2.0 "), " ")
	m.status, _ = strconv.Atoi(status)
	_, m.method, _ = strings.Cut(m.header("CSeq"), " ")
	return m, m.status >= 100 && m.header("Call-ID") != ""
}

// header is the value of the first header of a name.
func (m message) header(name string) string {
	_, rest, _ := strings.Cut(m.text, "\r\n"+name+": ")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// reason is the first line of a response without the version.
func (m message) reason() string {
	line, _, _ := strings.Cut(m.text, "\r\n")
	return strings.TrimPrefix(line, "SIP/2.0 ")
}

// vias are all Via headers, as a response repeats them.
func (m message) vias() string {
	var all strings.Builder
	for line := range strings.SplitSeq(m.text, "\r\n") {
		if strings.HasPrefix(line, "Via: ") {
			all.WriteString(line + "\r\n")
		}
	}
	return all.String()
}

// user is the user part of the URI in a header or a request line.
func user(s string) string {
	_, rest, ok := strings.Cut(s, "sip:")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "@")
	name, _, _ = strings.Cut(name, ";")
	return name
}

// inBrackets is the URI of a Contact, From or To.
func inBrackets(s string) string {
	_, rest, ok := strings.Cut(s, "<")
	if !ok {
		uri, _, _ := strings.Cut(s, ";")
		return uri
	}
	uri, _, _ := strings.Cut(rest, ">")
	return uri
}

// reply is the answer to a request. The tag is added to To where there is none.
func (m message) reply(status, tag, headers, body string) []byte {
	to := m.header("To")
	if tag != "" && !strings.Contains(to, ";tag=") {
		to += ";tag=" + tag
	}
	return fmt.Appendf(nil, "SIP/2.0 %s\r\n%sFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n%sContent-Length: %d\r\n\r\n%s",
		status, m.vias(), m.header("From"), to, m.header("Call-ID"), m.header("CSeq"), headers, len(body), body)
}

// infoKey is the key of a SIP INFO, in either of its two bodies; 0: none.
func (m message) infoKey() byte {
	kind := strings.ToLower(m.header("Content-Type"))
	switch {
	case strings.HasPrefix(kind, "application/dtmf-relay"):
		_, rest, _ := strings.Cut(m.body, "Signal=")
		rest = strings.TrimSpace(rest)
		if rest != "" {
			return rest[0]
		}
	case strings.HasPrefix(kind, "application/dtmf"):
		if key := strings.TrimSpace(m.body); key != "" {
			return key[0]
		}
	}
	return 0
}
