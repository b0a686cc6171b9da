package phone

import (
	"crypto/md5" //nolint:gosec // what RFC 3261 §22.4 asks for
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"regexp"
	"strings"
)

var challengeParam = regexp.MustCompile(`([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))`)

// authorize answers the first challenge it can, RFC 7616 §3.4.
func authorize(challenges []string, method, uri, user, password, cnonce string) (string, bool) {
	for _, c := range challenges {
		scheme, rest, _ := strings.Cut(c, " ")
		if !strings.EqualFold(scheme, "Digest") {
			continue
		}
		p := map[string]string{}
		for _, m := range challengeParam.FindAllStringSubmatch(rest, -1) {
			p[strings.ToLower(m[1])] = m[2] + m[3]
		}
		var h func() hash.Hash
		switch strings.ToUpper(p["algorithm"]) {
		case "", "MD5":
			h = md5.New
		case "SHA-256":
			h = sha256.New
		default:
			continue
		}
		sum := func(parts ...string) string {
			d := h()
			_, _ = d.Write([]byte(strings.Join(parts, ":")))
			return hex.EncodeToString(d.Sum(nil))
		}
		a1, a2 := sum(user, p["realm"], password), sum(method, uri)
		out := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s"`, user, p["realm"], p["nonce"], uri)
		if p["algorithm"] != "" {
			out += ", algorithm=" + p["algorithm"]
		}
		if p["opaque"] != "" {
			out += fmt.Sprintf(`, opaque="%s"`, p["opaque"])
		}
		if p["qop"] == "" {
			return out + fmt.Sprintf(`, response="%s"`, sum(a1, p["nonce"], a2)), true
		}
		const nc = "00000001" // every request of ours answers a challenge of its own
		return out + fmt.Sprintf(`, qop=auth, nc=%s, cnonce="%s", response="%s"`, nc, cnonce,
			sum(a1, p["nonce"], nc, cnonce, "auth", a2)), true
	}
	return "", false
}
