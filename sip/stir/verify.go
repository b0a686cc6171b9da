package stir

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// The outcomes.
const (
	Passed = "passed"
	Failed = "failed"
	None   = "none"
)

// freshness is how old a token may be, or ahead of our clock (RFC 8224 §5.3).
const freshness = 60 * time.Second

// Call is what the identity is to vouch for.
type Call struct {
	From string   // the number shown
	To   []string // the numbers dialled, any of which must be meant
}

// Verdict is what came of the verification. Judged is false when nobody can say:
// the certificate cannot be had, or the identity is of a kind not known here.
type Verdict struct {
	Verstat     string // Passed, Failed or None
	Attestation string // A, B or C when passed
	OrigID      string // of a passed one: where it came from, for tracing
	Judged      bool
	Err         error // why it did not pass
}

// unavailable says that a certificate could not be had, which says nothing about
// the caller.
type unavailable struct{ err error }

func (u unavailable) Error() string { return "certificate not available: " + u.err.Error() }
func (u unavailable) Unwrap() error { return u.err }

// Verify judges the values of the Identity headers of a request: the first that
// passes counts, else the first that fails. It takes no longer than fetchLimit,
// however many there are.
func (v *Verifier) Verify(ctx context.Context, identities []string, call Call) Verdict {
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	out := Verdict{Verstat: None, Err: errors.New("no identity")}
	for _, identity := range identities[:min(len(identities), maxIdentities)] {
		t, err := parse(identity)
		if err == nil {
			err = v.verify(ctx, t, call)
		}
		var away unavailable
		switch {
		case err == nil:
			return Verdict{Verstat: Passed, Attestation: t.attest, OrigID: t.origID, Judged: true}
		case out.Judged:
		case errors.Is(err, errOther), errors.As(err, &away):
			out.Err = err
		default:
			out = Verdict{Verstat: Failed, Judged: true, Err: err}
		}
	}
	return out
}

// verify is RFC 8224 §6.2: what costs least first, so that nobody makes us fetch
// anything for a token that is worth nothing anyhow.
func (v *Verifier) verify(ctx context.Context, t *token, call Call) error {
	now := v.cfg.Now()
	switch age := now.Sub(t.issued); {
	case age > freshness:
		return fmt.Errorf("issued %s ago", age.Round(time.Second))
	case age < -freshness:
		return fmt.Errorf("issued %s ahead of the clock", (-age).Round(time.Second))
	case digits(t.orig) == "" || digits(t.orig) != digits(call.From):
		return errors.New("vouches for another caller")
	case !slices.ContainsFunc(call.To, func(to string) bool {
		return digits(to) != "" && slices.ContainsFunc(t.dest, func(tn string) bool { return digits(tn) == digits(to) })
	}):
		return errors.New("is for a call to another number")
	}
	chain, err := v.certificates(ctx, t.x5u)
	if err != nil {
		return err
	}
	if err := v.trusted(chain, now); err != nil {
		return err
	}
	key, ok := chain[0].PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return errors.New("the certificate's key is not for ES256")
	}
	// RFC 7518 §3.4: r and s, 32 octets each.
	if len(t.signature) != 64 {
		return fmt.Errorf("signature of %d octets", len(t.signature))
	}
	sum := sha256.Sum256([]byte(t.signed))
	r, s := new(big.Int).SetBytes(t.signature[:32]), new(big.Int).SetBytes(t.signature[32:])
	if !ecdsa.Verify(key, sum[:], r, s) {
		return errors.New("the signature is wrong")
	}
	return nil
}

// tnAuthList is RFC 8226's list of numbers and carriers, which may be critical.
var tnAuthList = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 26}

// trusted checks the chain up to the roots.
func (v *Verifier) trusted(chain []*x509.Certificate, now time.Time) error {
	leaf := *chain[0]
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(leaf.UnhandledCriticalExtensions), tnAuthList.Equal)
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: v.cfg.Roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fmt.Errorf("the certificate is not trusted: %w", err)
	}
	return nil
}

// digits is a number in the canonical form of RFC 8224 §8.3: no plus and no
// separators. What is no number is "".
func digits(number string) string {
	number = strings.NewReplacer("-", "", ".", "", "(", "", ")", "", " ", "").Replace(strings.TrimPrefix(number, "+"))
	for _, c := range number {
		if (c < '0' || c > '9') && c != '*' && c != '#' {
			return ""
		}
	}
	return number
}
