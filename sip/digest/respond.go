package digest

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrUnsupported says that a challenge cannot be answered: its algorithm or its
// quality of protection is not spoken.
var ErrUnsupported = errors.New("digest: challenge not supported")

// Choose picks the challenge to answer: the topmost that is supported
// (RFC 8760 §2.4).
func Choose(challenges []string) (string, error) {
	for _, c := range challenges {
		f, err := Parse(c)
		if err == nil && supported(f) == nil {
			return c, nil
		}
	}
	return "", ErrUnsupported
}

func supported(f Fields) error {
	if _, _, ok := algorithm(f.Algorithm); !ok {
		return fmt.Errorf("%w: algorithm %q", ErrUnsupported, f.Algorithm)
	}
	if f.QOP != "" && !offersAuth(f.QOP) {
		return fmt.Errorf("%w: qop %q", ErrUnsupported, f.QOP)
	}
	return nil
}

func offersAuth(list string) bool {
	for _, q := range strings.Split(list, ",") {
		if strings.EqualFold(strings.Trim(q, " \t"), "auth") {
			return true
		}
	}
	return false
}

// Respond answers a challenge with the value of an Authorization or
// Proxy-Authorization header. nc counts the requests sent with this nonce from
// 1; entropy gives the client nonce and may be nil for the system's.
func Respond(challenge, method, uri, user, password string, nc int, entropy io.Reader) (string, error) {
	c, err := Parse(challenge)
	if err != nil {
		return "", err
	}
	if err := supported(c); err != nil {
		return "", err
	}
	if nc < 1 {
		return "", fmt.Errorf("digest: nc %d", nc)
	}
	for _, s := range []string{method, uri, user} {
		if strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
			return "", errors.New("digest: control character in the request or user name")
		}
	}
	f := Fields{
		Username: user, Realm: c.Realm, Nonce: c.Nonce, URI: uri,
		Algorithm: c.Algorithm, Opaque: c.Opaque,
	}
	_, session, _ := algorithm(c.Algorithm)
	if c.QOP != "" || session {
		if f.CNonce, err = cnonce(entropy); err != nil {
			return "", err
		}
	}
	if c.QOP != "" {
		f.QOP, f.NC, f.nc = "auth", uint32(nc), fmt.Sprintf("%08x", nc)
	}
	f.Response, _ = response(f, method, password)
	return f.credentials(), nil
}

func cnonce(entropy io.Reader) (string, error) {
	if entropy == nil {
		entropy = rand.Reader
	}
	var b [16]byte
	if _, err := io.ReadFull(entropy, b[:]); err != nil {
		return "", fmt.Errorf("digest: client nonce: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// credentials writes f with the quoting of RFC 7616 §3.4: algorithm, qop and nc
// are bare.
func (f Fields) credentials() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Digest username=%s, realm=%s, nonce=%s, uri=%s, response=%s",
		quote(f.Username), quote(f.Realm), quote(f.Nonce), quote(f.URI), quote(f.Response))
	if f.Algorithm != "" {
		fmt.Fprintf(&b, ", algorithm=%s", f.Algorithm)
	}
	if f.CNonce != "" {
		fmt.Fprintf(&b, ", cnonce=%s", quote(f.CNonce))
	}
	if f.QOP != "" {
		fmt.Fprintf(&b, ", qop=%s, nc=%s", f.QOP, f.nc)
	}
	if f.Opaque != "" {
		fmt.Fprintf(&b, ", opaque=%s", quote(f.Opaque))
	}
	return b.String()
}
