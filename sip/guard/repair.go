package guard

import "bytes"

// refusal is why a message cannot be repaired, and what to answer a request.
type refusal struct {
	code   int
	reason string
}

func (r *refusal) Error() string { return r.reason }

var (
	errNoEnd     = &refusal{400, "Header Section Not Ended"}
	errStartLine = &refusal{400, "Malformed Start Line"}
	errVersion   = &refusal{505, "Version Not Supported"}
	errScheme    = &refusal{416, "Unsupported URI Scheme"}
	errHeader    = &refusal{400, "Malformed Header"}
	errTooMany   = &refusal{400, "Too Many Headers"}
	errMissing   = &refusal{400, "Missing Header"}
	errTwice     = &refusal{400, "Header Given Twice"}
	errAddress   = &refusal{400, "Malformed Address"}
	errVia       = &refusal{400, "Malformed Via"}
	errCSeq      = &refusal{400, "Malformed CSeq"}
	errMismatch  = &refusal{400, "CSeq Method Mismatch"}
	errForwards  = &refusal{400, "Malformed Max-Forwards"}
	errLength    = &refusal{400, "Malformed Content-Length"}
	errBody      = &refusal{400, "Body Shorter Than Content-Length"}
)

const maxHeaders = 128 // Via values each count

// repairer rewrites messages into the plain form: CRLF line ends, no folding, no
// spaces around colons and separators, one Via value a line. It has buffers of
// its own and allocates nothing once they have grown.
type repairer struct {
	out     []byte // the rewritten message
	line    []byte // one logical line, unfolded
	scratch []byte // one header value, squeezed
	list    []byte // a list of addresses, checked
	answer  []byte

	err     *refusal // the first thing wrong; reading goes on, for the answer's sake
	request bool
	method  []byte // within out
	headers int
	length  int // Content-Length, -1 when absent
	spans   [lastKind]span
	vias    span // all Via lines of out; they stay together, at the top
	count   [lastKind]int
}

// span is a part of out.
type span struct{ from, to int }

// message gives the repaired message, valid until the next call, and whether it
// differs from data.
func (r *repairer) message(data []byte) (message []byte, changed bool, err error) {
	body := r.read(bytes.TrimLeft(data, "\r\n"))
	r.settle(body)
	if r.err != nil {
		return nil, false, r.err
	}
	if r.length >= 0 {
		// RFC 3261 §18.3: what is behind the body is no part of the message.
		body = body[:r.length]
	}
	r.out = append(r.out, '\r', '\n')
	r.out = append(r.out, body...)
	return r.out, !bytes.Equal(r.out, data), nil
}

// read takes the header section line by line and returns what follows it.
func (r *repairer) read(data []byte) (body []byte) {
	r.out = r.out[:0]
	r.err, r.request, r.method = nil, false, nil
	r.headers, r.length = 0, -1
	r.spans, r.vias, r.count = [lastKind]span{}, span{}, [lastKind]int{}

	for first := true; ; first = false {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			r.fail(errNoEnd)
			return nil
		}
		line := trimCR(data[:end])
		data = data[end+1:]
		if len(line) == 0 {
			return data
		}
		r.line = append(r.line[:0], line...)
		for len(data) > 0 && isBlank(data[0]) {
			data = r.unfold(data)
		}
		if bytes.IndexByte(r.line, '\r') >= 0 {
			r.fail(errHeader)
			continue
		}
		if first {
			r.startLine(bytes.TrimRight(r.line, " \t"))
		} else {
			r.header(r.line)
		}
	}
}

// unfold appends a continuation line (RFC 3261 §7.3.1) to the current one.
func (r *repairer) unfold(data []byte) (rest []byte) {
	end := bytes.IndexByte(data, '\n')
	more := data
	if end >= 0 {
		more, rest = data[:end], data[end+1:]
	}
	r.line = append(bytes.TrimRight(r.line, " \t"), ' ')
	r.line = append(r.line, bytes.Trim(trimCR(more), " \t")...)
	return rest
}

func trimCR(line []byte) []byte { return bytes.TrimSuffix(line, []byte("\r")) }

func (r *repairer) fail(e *refusal) {
	if r.err == nil {
		r.err = e
	}
}

func (r *repairer) startLine(line []byte) {
	if hasFoldPrefix(line, "SIP/") {
		r.statusLine(line)
		return
	}
	r.request = true
	method, rest, _ := bytes.Cut(line, []byte(" "))
	uri, version, _ := bytes.Cut(rest, []byte(" "))
	r.method = r.put(method)
	r.out = append(r.out, ' ')
	r.put(uri)
	r.out = append(r.out, " SIP/2.0\r\n"...)
	switch {
	case !isToken(method), bytes.ContainsAny(uri, "<>\"\t"), len(uri) == 0, bytes.ContainsAny(version, " \t"):
		r.fail(errStartLine)
	case !equalFold(version, "SIP/2.0"):
		r.fail(errVersion)
	default:
		r.scheme(uri)
	}
}

// scheme refuses Request-URIs that no SIP stack routes (RFC 3261 §8.2.2.1).
func (r *repairer) scheme(uri []byte) {
	scheme, rest, ok := bytes.Cut(uri, []byte(":"))
	switch {
	case !ok || len(rest) == 0:
		r.fail(errStartLine)
		return
	case equalFold(scheme, "sip"), equalFold(scheme, "sips"), equalFold(scheme, "tel"):
	default:
		r.fail(errScheme)
		return
	}
	if !validURI(uri) {
		r.fail(errStartLine)
	}
}

func (r *repairer) statusLine(line []byte) {
	version, rest, _ := bytes.Cut(line, []byte(" "))
	code, reason, _ := bytes.Cut(rest, []byte(" "))
	n, ok := number(code, 699)
	if !equalFold(version, "SIP/2.0") || !ok || n < 100 || len(code) != 3 {
		r.fail(errStartLine)
	}
	r.out = append(r.out, "SIP/2.0 "...)
	r.put(code)
	r.out = append(r.out, ' ') // stays also when there is no reason
	r.put(reason)
	r.out = append(r.out, '\r', '\n')
}

// put appends and gives a copy that lasts as long as the message: out may still
// move when it grows.
func (r *repairer) put(b []byte) []byte {
	from := len(r.out)
	r.out = append(r.out, b...)
	return r.out[from:len(r.out):len(r.out)]
}

// settle checks what only the whole header section shows.
func (r *repairer) settle(body []byte) {
	for _, k := range []kind{via, from, to, callID, cseq} {
		if r.count[k] == 0 {
			r.fail(errMissing)
		}
	}
	for _, k := range []kind{from, to, callID, cseq, maxForwards} {
		if r.count[k] > 1 {
			r.fail(errTwice)
		}
	}
	if r.length > len(body) {
		r.fail(errBody)
	}
	if r.err == nil && r.request {
		s := r.spans[cseq]
		value := r.out[s.from:s.to]
		if !bytes.Equal(value[bytes.LastIndexByte(value, ' ')+1:], r.method) {
			r.fail(errMismatch)
		}
	}
}
