package phone

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// message is a SIP message as text: a start line, headers in order, a body.
type message struct {
	method, uri string // of a request
	code        int    // of a response
	reason      string
	headers     []header
	body        []byte
}

type header struct{ name, value string }

// compact forms (RFC 3261 §7.3.3).
var longNames = map[string]string{
	"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact",
	"l": "content-length", "c": "content-type", "k": "supported",
}

func fold(name string) string {
	name = strings.ToLower(name)
	if long, ok := longNames[name]; ok {
		return long
	}
	return name
}

func parse(datagram []byte) (*message, error) {
	head, body, ok := bytes.Cut(datagram, []byte("\r\n\r\n"))
	if !ok {
		return nil, errors.New("no blank line")
	}
	lines := strings.Split(strings.ReplaceAll(strings.TrimLeft(string(head), "\r\n"), "\r\n ", " "), "\r\n")
	m, err := startLine(lines[0])
	if err != nil {
		return nil, err
	}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("header without a colon: %q", line)
		}
		m.add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if l := m.get("Content-Length"); l != "" {
		n, err := strconv.Atoi(l)
		if err != nil || n < 0 || n > len(body) {
			return nil, fmt.Errorf("content length %q of a body of %d bytes", l, len(body))
		}
		body = body[:n]
	}
	m.body = bytes.Clone(body)
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		if m.get(name) == "" {
			return nil, fmt.Errorf("no %s", name)
		}
	}
	return m, nil
}

func startLine(line string) (*message, error) {
	parts := strings.SplitN(line, " ", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("start line %q", line)
	}
	if parts[0] == "SIP/2.0" {
		code, err := strconv.Atoi(parts[1])
		if err != nil || code < 100 || code > 699 {
			return nil, fmt.Errorf("status line %q", line)
		}
		return &message{code: code, reason: parts[2]}, nil
	}
	if parts[2] != "SIP/2.0" {
		return nil, fmt.Errorf("request line %q", line)
	}
	return &message{method: parts[0], uri: parts[1]}, nil
}

func (m *message) bytes() []byte {
	var b bytes.Buffer
	if m.code > 0 {
		fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", m.code, m.reason)
	} else {
		fmt.Fprintf(&b, "%s %s SIP/2.0\r\n", m.method, m.uri)
	}
	for _, h := range m.headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h.name, h.value)
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(m.body))
	b.Write(m.body)
	return b.Bytes()
}

// add appends a header; Content-Length is written by bytes alone.
func (m *message) add(name, value string) { m.headers = append(m.headers, header{name, value}) }

func (m *message) get(name string) string {
	for _, h := range m.headers {
		if fold(h.name) == fold(name) {
			return h.value
		}
	}
	return ""
}

func (m *message) all(name string) (values []string) {
	for _, h := range m.headers {
		if fold(h.name) == fold(name) {
			values = append(values, h.value)
		}
	}
	return values
}

func (m *message) setBody(kind string, body []byte) {
	if len(body) > 0 {
		m.add("Content-Type", kind)
		m.body = body
	}
}

// cseq is the number and method of the CSeq header.
func (m *message) cseq() (int, string) {
	number, method, _ := strings.Cut(m.get("CSeq"), " ")
	n, _ := strconv.Atoi(number)
	return n, strings.TrimSpace(method)
}

// branch is that of the topmost Via.
func (m *message) branch() string { return param(m.get("Via"), "branch") }

func (m *message) hasSDP() bool {
	return len(m.body) > 0 && strings.HasPrefix(strings.ToLower(m.get("Content-Type")), "application/sdp")
}

// param is a header parameter: what follows the angle bracket, or the first
// semicolon.
func param(value, name string) string {
	if i := strings.LastIndexByte(value, '>'); i >= 0 {
		value = value[i:]
	}
	for _, p := range strings.Split(value, ";")[1:] {
		k, v, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// uriOf is the URI of a name-addr or addr-spec.
func uriOf(value string) string {
	if i := strings.IndexByte(value, '<'); i >= 0 {
		value = value[i+1:]
		if i := strings.IndexByte(value, '>'); i >= 0 {
			return value[:i]
		}
		return value
	}
	uri, _, _ := strings.Cut(value, ";")
	return strings.TrimSpace(uri)
}

// userOf is the user part of a SIP URI, empty when there is none.
func userOf(uri string) string {
	_, rest, _ := strings.Cut(uri, ":")
	user, _, ok := strings.Cut(rest, "@")
	if !ok {
		return ""
	}
	return user
}

// hostOf is where to send what is addressed to a SIP URI; names other than
// localhost are not resolved.
func hostOf(uri string) (netip.AddrPort, error) {
	rest := uri
	if scheme, after, ok := strings.Cut(uri, ":"); ok && strings.EqualFold(scheme, "sip") {
		rest = after
	}
	if i := strings.IndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	if i := strings.IndexAny(rest, ";?>"); i >= 0 {
		rest = rest[:i]
	}
	host, port := rest, "5060"
	if h, p, err := net.SplitHostPort(rest); err == nil {
		host, port = h, p
	}
	host = strings.Trim(host, "[]")
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q names no address to send to", uri)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("port of %q", uri)
	}
	return netip.AddrPortFrom(ip, uint16(n)), nil
}
