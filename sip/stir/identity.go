package stir

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	maxIdentity   = 8 << 10 // octets of a header
	maxIdentities = 4       // headers looked at
	maxNumbers    = 10      // dialled numbers of one token
)

// errOther is an identity of a kind that says nothing here: another extension
// than shaken, or the compact form, which RFC 8588 does not have.
var errOther = errors.New("not a shaken identity in full form")

// token is a PASSporT as it came, not verified.
type token struct {
	signed    string // what the signature covers
	signature []byte
	x5u       string

	attest string
	orig   string
	dest   []string
	issued time.Time
	origID string
}

// header is the JOSE header (RFC 8225 §4, RFC 8588 §5).
type header struct {
	Alg string `json:"alg"`
	PPT string `json:"ppt"`
	Typ string `json:"typ"`
	X5U string `json:"x5u"`
}

// claims of RFC 8225 §5 and RFC 8588 §4.
type claims struct {
	Attest string `json:"attest"`
	Dest   struct {
		TN []string `json:"tn"`
	} `json:"dest"`
	IAT  int64 `json:"iat"`
	Orig struct {
		TN string `json:"tn"`
	} `json:"orig"`
	OrigID string `json:"origid"`
}

// parse reads the value of an Identity header: the signed token and parameters
// that repeat what the token says in its header (RFC 8224 §4).
func parse(identity string) (*token, error) {
	if len(identity) > maxIdentity {
		return nil, fmt.Errorf("identity of %d octets", len(identity))
	}
	jws, rest, _ := strings.Cut(identity, ";")
	params, err := parameters(rest)
	if err != nil {
		return nil, err
	}
	if ppt, ok := params["ppt"]; ok && ppt != "shaken" {
		return nil, errOther
	}
	part := strings.Split(strings.TrimSpace(jws), ".")
	if len(part) != 3 {
		return nil, fmt.Errorf("token of %d parts", len(part))
	}
	if part[0] == "" || part[1] == "" {
		return nil, errOther
	}
	t := &token{signed: part[0] + "." + part[1]}
	var h header
	if err := decode(part[0], &h); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if h.PPT != "shaken" {
		return nil, errOther
	}
	if t.signature, err = base64.RawURLEncoding.Strict().DecodeString(part[2]); err != nil {
		return nil, errors.New("signature is not base64url")
	}
	switch info := params["info"]; {
	case h.Typ != "passport":
		return nil, fmt.Errorf("typ %q is not passport", h.Typ)
	case h.Alg != "ES256", params["alg"] != "" && params["alg"] != "ES256":
		return nil, fmt.Errorf("algorithm %q is not ES256", h.Alg)
	case h.X5U == "" || info != "" && info != h.X5U:
		// RFC 8224 §4.1: "info" is the same URI as "x5u".
		return nil, errors.New("info and x5u name different certificates, or none")
	}
	t.x5u = h.X5U
	return t, t.claims(part[1])
}

func (t *token) claims(part string) error {
	var c claims
	if err := decode(part, &c); err != nil {
		return fmt.Errorf("claims: %w", err)
	}
	t.attest, t.orig, t.dest, t.origID = Attestation(c.Attest), c.Orig.TN, c.Dest.TN, c.OrigID
	t.issued = time.Unix(c.IAT, 0)
	switch {
	case t.attest == "" || c.Attest != t.attest:
		return fmt.Errorf("attest %q is not A, B or C", c.Attest)
	case t.orig == "" || len(t.dest) == 0 || len(t.dest) > maxNumbers:
		return errors.New("claims without both numbers")
	case c.IAT == 0 || t.origID == "":
		return errors.New("claims without iat or origid")
	}
	return nil
}

func decode(part string, into any) error {
	data, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return errors.New("not base64url")
	}
	if err := json.Unmarshal(data, into); err != nil {
		return errors.New("not the JSON it should be")
	}
	return nil
}

// parameters reads ";info=<uri>;alg=ES256;ppt=shaken"; values may be quoted.
func parameters(s string) (map[string]string, error) {
	out := map[string]string{}
	for s = strings.TrimSpace(s); s != ""; {
		name, rest, ok := strings.Cut(s, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" {
			return nil, errors.New("parameter without a value")
		}
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("parameter %q twice", name)
		}
		rest = strings.TrimLeft(rest, " \t")
		end, skip := strings.IndexByte(rest, ';'), 0
		for open, closing := range map[string]string{"<": ">", `"`: `"`} {
			if strings.HasPrefix(rest, open) {
				if end = strings.Index(rest[1:], closing); end < 0 {
					return nil, fmt.Errorf("parameter %q is not closed", name)
				}
				rest, skip = rest[1:], 1
			}
		}
		if end < 0 {
			end = len(rest)
		}
		out[name] = strings.TrimSpace(rest[:end])
		s = strings.TrimSpace(rest[min(end+skip, len(rest)):])
		if s != "" && s[0] != ';' {
			return nil, fmt.Errorf("no semicolon after %q", name)
		}
		s = strings.TrimLeft(s, "; \t")
	}
	return out, nil
}

// Attestation is A, B or C, however written, or "".
func Attestation(s string) string {
	switch s = strings.ToUpper(s); s {
	case "A", "B", "C":
		return s
	}
	return ""
}
