package capture

import "bytes"

// redacted copies a message and blanks in the copy what nobody who looks at
// traces may learn. Lengths stay, so that what is left is still a whole message.
func redacted(data []byte) []byte {
	out := bytes.Clone(data)
	fields(out, func(name, value []byte) bool {
		if is(name, "authorization") || is(name, "proxy-authorization") {
			// With it somebody could search for the password at home.
			blankQuoted(value, "response=")
		}
		return true
	})
	content := body(out)
	if len(content) == 0 {
		return out
	}
	kind := bytes.ToLower(field(out, "content-type", "c"))
	switch {
	case bytes.HasPrefix(kind, []byte("application/dtmf-relay")):
		blankLine(content, "signal=") // a key may belong to a PIN
	case bytes.HasPrefix(kind, []byte("application/dtmf")):
		blank(content)
	case bytes.HasPrefix(kind, []byte("application/sdp")), bytes.HasPrefix(kind, []byte("multipart/")):
		blankKeys(content)
	}
	return out
}

func blank(b []byte) {
	for i, c := range b {
		if c > ' ' {
			b[i] = '*'
		}
	}
}

// blankQuoted blanks the value of a parameter, with or without quotes.
func blankQuoted(value []byte, param string) {
	at := indexFold(value, param)
	if at < 0 {
		return
	}
	rest := bytes.TrimLeft(value[at+len(param):], ` "`)
	end := bytes.IndexAny(rest, `",`)
	if end < 0 {
		end = len(rest)
	}
	blank(rest[:end])
}

// blankLine blanks the rest of each line that begins with a word.
func blankLine(content []byte, word string) {
	for len(content) > 0 {
		line, after, _ := bytes.Cut(content, []byte("\n"))
		content = after
		if at := indexFold(line, word); at >= 0 {
			blank(line[at+len(word):])
		}
	}
}

// blankKeys blanks SRTP master keys (RFC 4568 §9.1).
func blankKeys(content []byte) {
	for {
		at := indexFold(content, "inline:")
		if at < 0 {
			return
		}
		content = content[at+len("inline:"):]
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
