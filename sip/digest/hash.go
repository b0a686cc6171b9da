package digest

import (
	"crypto/md5" //nolint:gosec // RFC 3261 §22.4 fixes MD5, most phones know nothing else
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strings"
)

// The algorithms of RFC 8760 that are offered.
const (
	MD5    = "MD5"
	SHA256 = "SHA-256"
)

// algorithm gives the hash of a name and whether it is the -sess variant. An
// absent algorithm is MD5 (RFC 7616 §3.3).
func algorithm(name string) (newHash func() hash.Hash, session, ok bool) {
	base, session := strings.CutSuffix(strings.ToLower(name), "-sess")
	switch base {
	case "md5":
		return md5.New, session, true
	case "sha-256":
		return sha256.New, session, true
	case "":
		return md5.New, false, !session
	}
	return nil, false, false
}

func sum(newHash func() hash.Hash, parts ...string) string {
	h := newHash()
	h.Write([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(h.Sum(nil))
}

// response is the request-digest of RFC 7616 §3.4.1, or that of RFC 2069 when
// the credentials have no qop.
func response(f Fields, method, password string) (string, bool) {
	newHash, session, ok := algorithm(f.Algorithm)
	if !ok {
		return "", false
	}
	a1 := sum(newHash, f.Username, f.Realm, password)
	if session {
		a1 = sum(newHash, a1, f.Nonce, f.CNonce)
	}
	a2 := sum(newHash, method, f.URI)
	if f.QOP == "" {
		return sum(newHash, a1, f.Nonce, a2), true
	}
	return sum(newHash, a1, f.Nonce, f.nc, f.CNonce, f.QOP, a2), true
}
