package stir_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func clock() time.Time { return now }

const (
	caller = "+12155550112"
	callee = "+12155550131"
	where  = "https://certs.example.net/sp.pem"
)

// authority signs certificates of carriers.
type authority struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newAuthority(t testing.TB) *authority {
	a := &authority{t: t, key: newKey(t)}
	a.cert = a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "STI-CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign}, a.key, nil)
	return a
}

// sign makes a certificate; an authority without one signs itself.
func (a *authority) sign(c *x509.Certificate, of *ecdsa.PrivateKey, by *x509.Certificate) *x509.Certificate {
	a.t.Helper()
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	if c.NotBefore.IsZero() {
		c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(time.Hour)
	}
	if by == nil {
		by = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, &of.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

// carrier signs calls.
type carrier struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func (a *authority) carrier(change ...func(*x509.Certificate)) *carrier {
	a.t.Helper()
	c := &x509.Certificate{Subject: pkix.Name{CommonName: "SHAKEN 709J"},
		// A critical TNAuthList, of one service provider code (RFC 8226 §9).
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 26}, Critical: true,
			Value: []byte{0x30, 0x08, 0xa0, 0x06, 0x16, 0x04, '7', '0', '9', 'J'}}}}
	for _, f := range change {
		f(c)
	}
	k := newKey(a.t)
	return &carrier{a.t, k, a.sign(c, k, a.cert)}
}

func encoded(list ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range list {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

type object = map[string]any

// identity signs a call; change edits the JOSE header and the claims first.
func (c *carrier) identity(change ...func(header, claims object)) string {
	c.t.Helper()
	header := object{"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": where}
	claims := object{"attest": "A", "dest": object{"tn": []string{callee[1:]}}, "iat": now.Unix(),
		"orig": object{"tn": caller[1:]}, "origid": "123e4567-e89b-12d3-a456-426655440000"}
	for _, f := range change {
		f(header, claims)
	}
	part := func(v object) string {
		data, err := json.Marshal(v)
		if err != nil {
			c.t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	signed := part(header) + "." + part(claims)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, c.key, sum[:])
	if err != nil {
		c.t.Fatal(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	info, _ := header["x5u"].(string)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature) + ";info=<" + info + ">;alg=ES256;ppt=shaken"
}
