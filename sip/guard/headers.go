package guard

import "bytes"

// kind is a header that is looked into.
type kind uint8

const (
	other kind = iota
	via
	from
	to
	callID
	cseq
	maxForwards
	contentLength
	contentType
	address // Contact, Route, Record-Route, Refer-To, Referred-By
	lastKind
)

// names are the long form, which is also what is written, and the compact one
// (RFC 3261 §7.3.3).
var names = []struct {
	long    string
	compact byte
	kind    kind
}{
	{"Via", 'v', via},
	{"From", 'f', from},
	{"To", 't', to},
	{"Call-ID", 'i', callID},
	{"CSeq", 0, cseq},
	{"Max-Forwards", 0, maxForwards},
	{"Content-Length", 'l', contentLength},
	{"Content-Type", 'c', contentType},
	{"Contact", 'm', address},
	{"Route", 0, address},
	{"Record-Route", 0, address},
	{"Refer-To", 'r', address},
	{"Referred-By", 'b', address},
}

func kindOf(name []byte) kind {
	for _, n := range names {
		if len(name) == 1 && n.compact != 0 && lower(name[0]) == n.compact || equalFold(name, n.long) {
			return n.kind
		}
	}
	return other
}

// header takes one logical line and writes it in the plain form.
func (r *repairer) header(line []byte) {
	name, value, ok := bytes.Cut(line, []byte(":"))
	name, value = bytes.Trim(name, " \t"), bytes.Trim(value, " \t")
	if !ok || !isToken(name) {
		r.fail(errHeader)
		return
	}
	if r.headers++; r.headers > maxHeaders {
		r.fail(errTooMany)
		return
	}
	k := kindOf(name)
	if k != via && k != contentLength {
		r.count[k]++
	}
	switch k {
	case via:
		r.via(name, value)
		return
	case contentLength:
		if !r.contentLength(value) {
			return
		}
	case from, to:
		value = r.squeeze(value, ";=")
		if !validAddress(value) || string(value) == "*" {
			r.fail(errAddress)
		}
	case address:
		value = r.addresses(r.squeeze(value, ";=,"))
	case cseq:
		value = r.cseq(value)
	case callID:
		if len(value) == 0 {
			r.fail(errHeader)
		}
	case maxForwards:
		if _, ok := number(value, 255); !ok {
			r.fail(errForwards)
		}
	}
	if len(value) == 0 && (k == address || k == contentType) {
		return // an empty list says nothing, and parsers stumble over it
	}
	r.write(k, name, value)
}

func (r *repairer) write(k kind, name, value []byte) {
	r.put(name)
	r.out = append(r.out, ": "...)
	at := len(r.out)
	r.put(value)
	if r.spans[k].to == 0 {
		r.spans[k] = span{at, len(r.out)}
	}
	r.out = append(r.out, '\r', '\n')
}

// contentLength reports whether to write the header: a repetition of the same
// value is left out, another value is a smuggled body.
func (r *repairer) contentLength(value []byte) bool {
	n, ok := number(value, 1<<20)
	switch {
	case !ok:
		r.fail(errLength)
		return false
	case r.length >= 0 && r.length != int(n):
		r.fail(errTwice)
		return false
	case r.length >= 0:
		return false
	}
	r.length = int(n)
	return true
}

// cseq is a number under 2**31 (RFC 3261 §8.1.1.5), one space and the method.
func (r *repairer) cseq(value []byte) []byte {
	end := bytes.IndexAny(value, " \t")
	if end < 0 {
		r.fail(errCSeq)
		return value
	}
	digits, method := value[:end], bytes.TrimLeft(value[end:], " \t")
	if _, ok := number(digits, 1<<31-1); !ok || !isToken(method) {
		r.fail(errCSeq)
		return value
	}
	r.scratch = append(append(append(r.scratch[:0], digits...), ' '), method...)
	return r.scratch
}

// via writes each value on a line of its own: a parser that meets a comma where
// it does not look for one takes the next value for a part of the host.
func (r *repairer) via(name, value []byte) {
	rest := r.squeeze(value, "/;=:,")
	for len(rest) > 0 {
		one := rest
		if i := outside(rest, ','); i >= 0 {
			one, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		if len(one) == 0 {
			continue
		}
		if r.count[via]++; r.count[via] > 1 {
			if r.headers++; r.headers > maxHeaders {
				r.fail(errTooMany)
				return
			}
		}
		if !validVia(one) {
			r.fail(errVia)
		}
		at := len(r.out)
		r.write(via, name, one)
		switch r.vias.to {
		case 0:
			r.vias = span{at, len(r.out)}
		case at:
			r.vias.to = len(r.out)
		}
	}
}

// validVia is sent-protocol, a space and a host with perhaps a port: a port that
// is none makes parsers lose the branch behind it.
func validVia(v []byte) bool {
	protocol, rest, ok := bytes.Cut(v, []byte(" "))
	if !ok || bytes.Count(protocol, []byte("/")) != 2 {
		return false
	}
	for i, part := 0, protocol; i < 3; i++ {
		var token []byte
		if token, part, _ = bytes.Cut(part, []byte("/")); !isToken(token) {
			return false
		}
	}
	host, _, _ := bytes.Cut(rest, []byte(";"))
	if bytes.ContainsAny(host, " \t\"") {
		return false
	}
	if end := bytes.IndexByte(host, ']'); len(host) > 0 && host[0] == '[' {
		if end < 2 {
			return false
		}
		host = host[end:]
	}
	host, port, hasPort := bytes.Cut(host, []byte(":"))
	if len(host) == 0 {
		return false
	}
	_, isPort := number(port, 1<<16-1)
	return !hasPort || isPort
}

// squeeze drops the white space around separators and makes one space of any
// other run, outside quotes and angle brackets.
func (r *repairer) squeeze(value []byte, separators string) []byte {
	out := r.scratch[:0]
	var quoted, escaped, angle, space bool
	for _, c := range value {
		if quoted || angle {
			out = append(out, c)
			switch {
			case angle:
				angle = c != '>'
			case escaped:
				escaped = false
			case c == '\\':
				escaped = true
			case c == '"':
				quoted = false
			}
			continue
		}
		if isBlank(c) {
			space = true
			continue
		}
		if space && len(out) > 0 && !isOne(separators, c) && !isOne(separators, out[len(out)-1]) {
			out = append(out, ' ')
		}
		space = false
		quoted, angle = c == '"', c == '<'
		out = append(out, c)
	}
	r.scratch = out
	return out
}

func isOne(set string, c byte) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}

// outside finds a separator outside quotes and angle brackets.
func outside(value []byte, separator byte) int {
	var quoted, escaped, angle bool
	for i, c := range value {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case angle:
			angle = c != '>'
		case c == separator:
			return i
		default:
			quoted, angle = c == '"', c == '<'
		}
	}
	return -1
}
