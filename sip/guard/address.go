package guard

import "bytes"

// addresses checks a list of name-addr or addr-spec (RFC 3261 §25.1) that was
// squeezed, and writes it into the scratch buffer again. Display names with
// escapes are left out of it: nobody is shown them, and parsers that look for
// the comma between two contacts count the escaped quote as one.
func (r *repairer) addresses(list []byte) []byte {
	kept := r.list[:0]
	for rest := list; len(rest) > 0; {
		one := rest
		if i := outside(rest, ','); i >= 0 {
			one, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		if len(one) == 0 {
			continue
		}
		if !validAddress(one) {
			r.fail(errAddress)
		}
		if end := closingQuote(one); end > 0 && bytes.IndexByte(one[:end], '\\') >= 0 {
			one = bytes.TrimLeft(one[end+1:], " ")
		}
		if len(kept) > 0 {
			kept = append(kept, ',')
		}
		kept = append(kept, one...)
	}
	r.list = kept
	return kept
}

// validAddress is one name-addr or addr-spec with its parameters, or "*".
func validAddress(a []byte) bool {
	if string(a) == "*" {
		return true
	}
	quoted := len(a) > 0 && a[0] == '"'
	if quoted {
		end := closingQuote(a)
		if end < 0 {
			return false
		}
		a = bytes.TrimLeft(a[end+1:], " ")
	}
	open := bytes.IndexByte(a, '<')
	if semicolon := bytes.IndexByte(a, ';'); open < 0 || !quoted && semicolon >= 0 && semicolon < open {
		uri, params, _ := bytes.Cut(a, []byte(";"))
		return !quoted && validURI(uri) && balanced(params)
	}
	if quoted && open > 0 || bytes.ContainsAny(a[:open], "\",") {
		return false
	}
	end := bytes.IndexByte(a, '>')
	if end < open || !validURI(a[open+1:end]) {
		return false
	}
	params := a[end+1:]
	return len(params) == 0 || params[0] == ';' && balanced(params)
}

// closingQuote is where the quoted string that b begins with ends, or -1.
func closingQuote(b []byte) int {
	if len(b) == 0 || b[0] != '"' {
		return -1
	}
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

// balanced reports whether every quote is closed.
func balanced(b []byte) bool {
	for {
		i := bytes.IndexByte(b, '"')
		if i < 0 {
			return true
		}
		end := closingQuote(b[i:])
		if end < 0 {
			return false
		}
		b = b[i+end+1:]
	}
}

// validURI reads a URI as far as its port: what follows cannot mislead anybody.
// Of other schemes only the name is read.
func validURI(uri []byte) bool {
	scheme, rest, ok := bytes.Cut(uri, []byte(":"))
	if !ok || !isWord(scheme) || len(rest) == 0 || bytes.ContainsAny(rest, " \t<>\"") {
		return false
	}
	if !equalFold(scheme, "sip") && !equalFold(scheme, "sips") {
		return true
	}
	rest = bytes.TrimPrefix(rest, []byte("//"))
	if at := bytes.IndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	if len(rest) > 0 && rest[0] == '[' {
		end := bytes.IndexByte(rest, ']')
		if end < 3 || end > 41 {
			return false
		}
		rest = rest[end+1:]
		if len(rest) == 0 {
			return true
		}
		return rest[0] == ';' || rest[0] == '?' || rest[0] == ':' && validPort(rest[1:])
	}
	end := bytes.IndexAny(rest, ":;?")
	if end < 0 {
		return validHost(rest)
	}
	return validHost(rest[:end]) && (rest[end] != ':' || validPort(rest[end+1:]))
}

// isWord is letters only: the schemes with digits and signs that RFC 3986 allows
// too name nothing that could be called.
func isWord(b []byte) bool {
	for _, c := range b {
		if l := lower(c); l < 'a' || l > 'z' {
			return false
		}
	}
	return len(b) > 0
}

func validHost(host []byte) bool {
	return len(host) > 0 && !bytes.ContainsAny(host, "[]@,/*\\")
}

func validPort(rest []byte) bool {
	if end := bytes.IndexAny(rest, ";?"); end >= 0 {
		rest = rest[:end]
	}
	_, ok := number(rest, 1<<16-1)
	return ok
}
