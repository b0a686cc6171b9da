package capture

import "bytes"

// redacted copies a message and blanks in the copy what nobody who looks at
// traces may learn. Lengths stay, so that what is left is still a whole message.
func redacted(data []byte) []byte {
	out := bytes.Clone(data)
	fields(out, func(name, value []byte) bool {
		switch {
		case is(name, "authorization"), is(name, "proxy-authorization"):
			// With it somebody could search for the password at home.
			blankParams(value, "response")
		case is(name, "authentication-info"):
			blankParams(value, "rspauth")
		}
		return true
	})
	redactBody(out, 0)
	return out
}

// maxNested is how deep multiparts within multiparts are looked at.
const maxNested = 4

// redactBody blanks secrets in the body of a message, or of a part of one, by
// its Content-Type.
func redactBody(message []byte, depth int) {
	content := body(message)
	if len(content) == 0 {
		return
	}
	whole := field(message, "content-type", "c")
	kind, params, _ := bytes.Cut(whole, []byte(";"))
	switch kind = bytes.ToLower(bytes.TrimSpace(kind)); {
	case string(kind) == "application/dtmf-relay":
		blankRelay(content) // a key may belong to a PIN
	case bytes.HasPrefix(kind, []byte("application/dtmf")):
		blank(content)
	case string(kind) == "application/kpml-response+xml": // RFC 4730
		blankAttributes(content, "digits")
	case string(kind) == "application/sdp":
		blankKeys(content)
	case bytes.HasPrefix(kind, []byte("multipart/")):
		redactParts(content, params, depth)
	}
}

// redactParts does the parts of a multipart body (RFC 2046 §5.1.1). One that
// cannot be told apart is blanked as a whole.
func redactParts(content, params []byte, depth int) {
	boundary := boundaryOf(params)
	if len(boundary) == 0 || depth >= maxNested {
		blank(content)
		return
	}
	mark := append([]byte("--"), boundary...)
	at := bytes.Index(content, mark)
	if at < 0 {
		blank(content)
		return
	}
	for content = content[at:]; len(content) > 0; {
		part := content
		if next := bytes.Index(content[len(mark):], mark); next >= 0 {
			part = content[:len(mark)+next]
		}
		content = content[len(part):]
		redactBody(part, depth+1) // its boundary stands for the start line
	}
}

func boundaryOf(params []byte) (value []byte) {
	eachParam(params, func(name, v []byte) {
		if value == nil && is(name, "boundary") {
			value = v
		}
	})
	return value
}

func blank(b []byte) {
	for i, c := range b {
		if c > ' ' {
			b[i] = '*'
		}
	}
}

// blankParams blanks the values of all parameters of that name. What follows from
// quotes that do not match is anybody's guess, so all of it goes.
func blankParams(value []byte, param string) {
	if !eachParam(value, func(name, v []byte) {
		if is(name, param) {
			blank(v)
		}
	}) {
		blank(value)
	}
}

// eachParam calls f with each name=value outside of quotes; the quotes around a
// value are no part of it. It is false when a quote is left open.
func eachParam(b []byte, f func(name, value []byte)) (closed bool) {
	var name []byte
	for len(b) > 0 {
		switch c := b[0]; {
		case c == '"':
			end := quoteEnd(b)
			if end < 0 {
				return false
			}
			if name != nil {
				f(name, b[1:end])
			}
			name, b = nil, b[end+1:]
		case bytes.IndexByte([]byte(" \t\r\n,;="), c) >= 0:
			if c == ',' || c == ';' {
				name = nil
			}
			b = b[1:]
		default:
			end := bytes.IndexAny(b, " \t\r\n,;=\"")
			if end < 0 {
				end = len(b)
			}
			token := b[:end]
			if b = b[end:]; name != nil {
				f(name, token)
				name = nil
			} else if after := bytes.TrimLeft(b, " \t\r\n"); len(after) > 0 && after[0] == '=' {
				name = token
			}
		}
	}
	return true
}

// quoteEnd is where the quoted string ends that b begins with; -1: nowhere.
func quoteEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// blankRelay blanks the lines of a dtmf-relay body but for how long the key was
// held.
func blankRelay(content []byte) {
	for len(content) > 0 {
		line, after, _ := bytes.Cut(content, []byte("\n"))
		content = after
		name, value, ok := bytes.Cut(line, []byte("="))
		switch {
		case !ok:
			blank(line)
		case !is(bytes.TrimSpace(name), "duration"):
			blank(value)
		case len(bytes.Trim(value, " \t\r0123456789")) > 0:
			blank(value)
		}
	}
}

// blankAttributes blanks the values of all XML attributes of that name.
func blankAttributes(content []byte, name string) {
	for {
		at := indexFold(content, name)
		if at < 0 {
			return
		}
		content = content[at+len(name):]
		rest := bytes.TrimLeft(content, " \t\r\n")
		if len(rest) == 0 || rest[0] != '=' {
			continue
		}
		rest = bytes.TrimLeft(rest[1:], " \t\r\n")
		if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			continue
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			end = len(rest) - 1
		}
		blank(rest[1 : 1+end])
		content = rest[1+end:]
	}
}

// blankKeys blanks keys of the sound, whoever's they are: SRTP master keys (RFC 4568
// §9.1), those of MIKEY (RFC 4567 §3.1), and k= lines (RFC 4566 §5.12), which nobody
// should write.
func blankKeys(content []byte) {
	for _, before := range []string{"inline:", "key-mgmt:mikey ", "\nk=clear:", "\nk=base64:"} {
		blankBehind(content, before)
	}
}

// blankBehind blanks what stands behind a word, to the end of a parameter or line.
func blankBehind(content []byte, word string) {
	for {
		at := indexFold(content, word)
		if at < 0 {
			return
		}
		content = content[at+len(word):]
		end := bytes.IndexAny(content, "|; \r\n")
		if end < 0 {
			end = len(content)
		}
		blank(content[:end])
	}
}

// indexFold finds an ASCII word in lower case, whatever its case in b.
func indexFold(b []byte, word string) int {
	for i := 0; i+len(word) <= len(b); i++ {
		if is(b[i:i+len(word)], word) {
			return i
		}
	}
	return -1
}
