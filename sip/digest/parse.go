package digest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Fields are the parameters of a Digest challenge or of Digest credentials,
// unescaped. Absent ones are empty.
type Fields struct {
	Username, Realm, Nonce, URI, Response string
	Algorithm, CNonce, Opaque, Domain     string
	QOP                                   string // of a challenge: a comma-separated list
	NC                                    uint32 // 0 when absent
	Stale                                 bool

	nc string // as written: the hash covers the text, in whichever case
}

// ErrScheme is what Parse returns for another scheme than Digest.
var ErrScheme = errors.New("digest: not the Digest scheme")

const (
	maxHeader = 4096
	maxParams = 32
)

// Parse reads the value of an Authorization, Proxy-Authorization,
// WWW-Authenticate or Proxy-Authenticate header. It refuses repeated
// parameters, control characters and values of excessive size: two readers of
// one header must never see two users.
func Parse(header string) (Fields, error) {
	var f Fields
	if len(header) > maxHeader {
		return f, fmt.Errorf("digest: header of %d bytes", len(header))
	}
	scheme, rest, _ := strings.Cut(strings.Trim(header, " \t"), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return f, ErrScheme
	}
	s := scanner{text: rest}
	seen := make(map[string]bool, 12)
	for s.more() {
		if len(seen) == maxParams {
			return f, errors.New("digest: too many parameters")
		}
		name, value, err := s.param()
		if err != nil {
			return f, err
		}
		if seen[name] {
			return f, fmt.Errorf("digest: %s given twice", name)
		}
		seen[name] = true
		if err := f.set(name, value); err != nil {
			return f, err
		}
	}
	if s.err != nil {
		return f, s.err
	}
	if len(seen) == 0 {
		return f, errors.New("digest: no parameters")
	}
	return f, nil
}

func (f *Fields) set(name, value string) error {
	switch name {
	case "username":
		f.Username = value
	case "realm":
		f.Realm = value
	case "nonce":
		f.Nonce = value
	case "uri":
		f.URI = value
	case "response":
		f.Response = value
	case "algorithm":
		f.Algorithm = value
	case "cnonce":
		f.CNonce = value
	case "opaque":
		f.Opaque = value
	case "domain":
		f.Domain = value
	case "qop":
		f.QOP = value
	case "stale":
		f.Stale = strings.EqualFold(value, "true")
	case "nc":
		n, err := strconv.ParseUint(value, 16, 32)
		if err != nil || len(value) != 8 || n == 0 {
			return fmt.Errorf("digest: nc %q is not eight hexadecimal digits", value)
		}
		f.NC, f.nc = uint32(n), value
	}
	return nil
}

// scanner walks a list of name=value, where value is a token or a quoted string.
type scanner struct {
	text string
	err  error
}

// more skips separators and reports whether a parameter follows.
func (s *scanner) more() bool {
	s.text = strings.TrimLeft(s.text, " \t,")
	return s.text != "" && s.err == nil
}

func (s *scanner) param() (name, value string, err error) {
	i := strings.IndexByte(s.text, '=')
	if i < 0 {
		return "", "", errors.New("digest: parameter without a value")
	}
	name = strings.ToLower(strings.Trim(s.text[:i], " \t"))
	if !isToken(name) {
		return "", "", errors.New("digest: malformed parameter name")
	}
	s.text = strings.TrimLeft(s.text[i+1:], " \t")
	if strings.HasPrefix(s.text, `"`) {
		value, err = s.quoted()
	} else {
		value, err = s.token()
	}
	if err != nil {
		return "", "", fmt.Errorf("digest: %s: %w", name, err)
	}
	s.text = strings.TrimLeft(s.text, " \t")
	if s.text != "" && s.text[0] != ',' {
		return "", "", fmt.Errorf("digest: no comma after %s", name)
	}
	return name, value, nil
}

func (s *scanner) token() (string, error) {
	end := strings.IndexAny(s.text, ", \t")
	if end < 0 {
		end = len(s.text)
	}
	value := s.text[:end]
	if !isToken(value) {
		return "", errors.New("malformed value")
	}
	s.text = s.text[end:]
	return value, nil
}

func (s *scanner) quoted() (string, error) {
	var b strings.Builder
	for i := 1; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.text = s.text[i+1:]
			return b.String(), nil
		case c == '\\' && i+1 < len(s.text):
			i++
			if isControl(s.text[i]) {
				return "", errors.New("control character")
			}
			b.WriteByte(s.text[i])
		case isControl(c):
			return "", errors.New("control character")
		default:
			b.WriteByte(c)
		}
	}
	return "", errors.New("quote not closed")
}

func isControl(c byte) bool { return c < 0x20 && c != '\t' || c == 0x7f }

// isToken is RFC 3261 §25.1's token, and the characters that unquoted nonces and
// responses of real devices contain besides.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte("-.!%*_+`'~:/=@?&$;[]", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// quote writes a quoted-string. Control characters, which would end the header,
// are the caller's to refuse.
func quote(s string) string {
	if !strings.ContainsAny(s, `"\`) {
		return `"` + s + `"`
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
	return b.String()
}
