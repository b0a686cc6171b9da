package guard

import "bytes"

// isKeepalive is one or two CRLF (RFC 5626 §3.5.1, §4.4.1), or the NUL octets
// that some phones send instead.
func isKeepalive(data []byte) bool {
	if len(data) > 4 {
		return false
	}
	for _, c := range data {
		if c != '\r' && c != '\n' && c != 0 {
			return false
		}
	}
	return true
}

const minMessage = 20 // a request line and a blank line are longer

// looksLikeSIP reads the first line only: it is what junk has to get past.
func looksLikeSIP(data []byte) bool {
	data = bytes.TrimLeft(data, "\r\n")
	if len(data) < minMessage {
		return false
	}
	end := bytes.IndexByte(data, '\n')
	if end < 0 {
		return false
	}
	line := bytes.TrimRight(data[:end], "\r \t")
	last := line[bytes.LastIndexByte(line, ' ')+1:]
	return hasFoldPrefix(line, "SIP/") || hasFoldPrefix(last, "SIP/")
}

func hasFoldPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && equalFold(b[:len(prefix)], prefix)
}

// equalFold compares ASCII without case and without an allocation.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if lower(b[i]) != lower(s[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// isToken is RFC 3261 §25.1.
func isToken(b []byte) bool {
	for _, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case isOne("-.!%*_+`'~", c):
		default:
			return false
		}
	}
	return len(b) > 0
}

// number reads digits only, up to a limit.
func number(b []byte, limit uint64) (uint64, bool) {
	var n uint64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
		if n > limit {
			return 0, false
		}
	}
	return n, len(b) > 0
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
