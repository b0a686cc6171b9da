package stories_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/flows"
	"b2bua/testbench/phone"
)

// signer vouches for callers (STIR/SHAKEN) with a certificate that is its own authority.
type signer struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	file string
}

const certificateURL = "https://certs.example.net/sp.pem"

func newSigner(t *testing.T) *signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: monday.Add(-time.Hour), NotAfter: monday.Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s := &signer{t, key, filepath.Join(t.TempDir(), "sp.pem")}
	if err := os.WriteFile(s.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// identity is the header of a call between two numbers.
func (s *signer) identity(from, to string) phone.Options {
	part := func(v map[string]any) string {
		data, err := json.Marshal(v)
		if err != nil {
			s.t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	signed := part(map[string]any{"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": certificateURL}) + "." +
		part(map[string]any{"attest": "A", "dest": map[string]any{"tn": []string{to}}, "iat": monday.Unix(),
			"orig": map[string]any{"tn": from}, "origid": "123e4567-e89b-12d3-a456-426655440000"})
	sum := sha256.Sum256([]byte(signed))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		s.t.Fatal(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...)
	return phone.Options{Headers: []phone.Header{{Name: "Identity",
		Value: signed + "." + base64.RawURLEncoding.EncodeToString(signature) + ";info=<" + certificateURL + ">;alg=ES256;ppt=shaken"}}}
}

// A trunk writes numbers as its country does; who vouches for them writes E.164 (RFC 8224 §8.3).
func TestIdentityOfANumberAsTheCountryWritesIt(t *testing.T) {
	who := newSigner(t)
	story(t, func(s *stage) {
		s.create("/v2/call-flows", `{"name": "Main", "phone_number": "+4930123456", "routing": [`+toSales+`]}`)
		a, b := s.parties()
		told := map[string]bool{}
		for _, c := range []struct {
			from, to string // as the trunk writes them
			orig     string // whom the identity is of
			want     string
		}{
			{"030901820", "456", "4930901820", "passed"},
			{"+4930901820", "4930123456", "4930901820", "passed"},
			{"+4930901855", "456", "4930901855", "passed"}, // one of ours comes back: the rules make it short
			{"030901820", "456", "30901820", "failed"},     // somebody in Egypt has the same digits
			{"030901821", "456", "4930901820", "failed"},
			{"030901820", "457", "4930901820", ""}, // not a number of ours
		} {
			o := who.identity(c.orig, "4930123456")
			o.From = c.from
			in := s.calls(a, c.to, o)
			if c.want == "" {
				s.refused(in, 404)
				continue
			}
			s.must(s.next(b).Reject(486))
			s.refused(in, 486)
			began := s.event("call.initiated", func(d doc) bool { return !told[d.str("call_id")] })
			told[began.str("call_id")] = true
			if got := began.str("verstat"); got != c.want {
				s.Errorf("%+v: %s", c, got)
			}
		}
	}, config(func(c *configs.Config) {
		c.SIP.STIR = configs.STIR{Roots: who.file, Certs: map[string]string{certificateURL: who.file}}
		c.Trunks[0].Transforms = &flows.Transforms{
			InboundFrom: []flows.Transform{{Match: `0([1-9]\d+)`, Replace: "+49$1"}, {Match: `\+4930901855`, Replace: "55"}},
			InboundTo:   []flows.Transform{{Match: `\d{3}`, Replace: "+4930123$0"}},
		}
	}), undrawn)
}
