package stir_test

import (
	"context"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"b2bua/sip/stir"
)

var call = stir.Call{From: caller, To: []string{callee}}

// trusting knows the certificate of c without fetching it.
func trusting(a *authority, c *carrier) *stir.Verifier {
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return stir.New(stir.Config{Roots: roots, Certificates: map[string][]*x509.Certificate{where: {c.cert}}, Now: clock})
}

func TestAttack35IdentityIsJudged(t *testing.T) {
	a := newAuthority(t)
	c := a.carrier()
	good := c.identity()
	token, _, _ := strings.Cut(good, ";")
	set := func(in, name string, to any) func(h, c object) {
		return func(h, c object) {
			switch in {
			case "header":
				h[name] = to
			default:
				c[name] = to
			}
		}
	}
	for _, tc := range []struct {
		name, identity, want, why string
		judged                    bool
	}{
		{"good", good, "passed A", "", true},
		{"partial", c.identity(set("claims", "attest", "B")), "passed B", "", true},
		{"gateway", c.identity(set("claims", "attest", "C")), "passed C", "", true},
		{"no parameters", strings.Split(good, ";")[0], "passed A", "", true},
		{"quoted parameters, spaces", strings.Replace(good, ";info=<"+where+">;alg=ES256", ` ; info = "`+where+`" ; alg="ES256" `, 1), "passed A", "", true},
		{"59 s old", c.identity(set("claims", "iat", now.Add(-59*time.Second).Unix())), "passed A", "", true},
		{"old", c.identity(set("claims", "iat", now.Add(-61*time.Second).Unix())), "failed ", "issued 1m1s ago", true},
		{"early", c.identity(set("claims", "iat", now.Add(61*time.Second).Unix())), "failed ", "ahead of the clock", true},
		{"another caller", c.identity(set("claims", "orig", object{"tn": "12155550113"})), "failed ", "another caller", true},
		{"another call", c.identity(set("claims", "dest", object{"tn": []string{"12155550199"}})), "failed ", "another number", true},
		{"several called", c.identity(set("claims", "dest", object{"tn": []string{"12155550199", "1-215-555-0131"}})), "passed A", "", true},
		{"attested D", c.identity(set("claims", "attest", "D")), "failed ", "not A, B or C", true},
		{"no origid", c.identity(set("claims", "origid", "")), "failed ", "origid", true},
		{"iat a text", c.identity(set("claims", "iat", "now")), "failed ", "not the JSON", true},
		{"not a passport", c.identity(set("header", "typ", "JWT")), "failed ", "passport", true},
		{"alg none", c.identity(set("header", "alg", "none")), "failed ", "not ES256", true},
		{"alg HS256", c.identity(set("header", "alg", "HS256")), "failed ", "not ES256", true},
		{"info elsewhere", strings.Replace(good, "info=<"+where, "info=<https://certs.example.org/x", 1), "failed ", "different certificates", true},
		{"forged signature", token[:len(token)-4] + "AAAA", "failed ", "signature is wrong", true},
		{"signed by another", a.carrier().identity(), "failed ", "signature is wrong", true},
		{"no signature", strings.Join(strings.Split(strings.Split(good, ";")[0], ".")[:2], ".") + ".", "failed ", "signature of 0", true},
		{"two parts", "a.b;ppt=shaken", "failed ", "2 parts", true},
		{"no semicolon", strings.Replace(good, ">;alg", ">alg", 1), "failed ", "no semicolon", true},
		{"open", strings.Replace(good, ">;", ";", 1), "failed ", "not closed", true},
		{"twice", good + ";ppt=shaken", "failed ", "twice", true},
		{"huge", good + ";x=" + strings.Repeat("y", 9000), "failed ", "octets", true},
		{"compact", ".." + strings.Split(strings.Split(good, ";")[0], ".")[2] + ";info=<" + where + ">;ppt=shaken", "none ", "full form", false},
		{"diverted", c.identity(set("header", "ppt", "div")), "none ", "full form", false},
		{"another ppt", strings.Replace(good, "ppt=shaken", "ppt=rph", 1), "none ", "full form", false},
		{"certificate from nowhere", c.identity(set("header", "x5u", "https://elsewhere.example.com/c.pem")), "none ", "not among the hosts", false},
		{"certificate from a file", c.identity(set("header", "x5u", "file:///etc/passwd")), "none ", "not an https URL", false},
		{"certificate by http", c.identity(set("header", "x5u", strings.Replace(where, "https", "http", 1))), "none ", "not an https URL", false},
	} {
		v := trusting(a, c).Verify(context.Background(), []string{tc.identity}, call)
		if got := v.Verstat + " " + v.Attestation; got != tc.want || v.Judged != tc.judged {
			t.Errorf("%s: %q judged %v: %v", tc.name, got, v.Judged, v.Err)
		}
		if (v.Err == nil) != (tc.why == "") || v.Err != nil && !strings.Contains(v.Err.Error(), tc.why) {
			t.Errorf("%s: because %v", tc.name, v.Err)
		}
	}
}

func TestChainIsJudged(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	old := a.carrier(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-3*time.Hour), now.Add(-2*time.Hour) })
	for name, c := range map[string]*carrier{"of another authority": other.carrier(), "expired": old} {
		v := trusting(a, c).Verify(context.Background(), []string{c.identity()}, call)
		if v.Verstat != stir.Failed || !strings.Contains(v.Err.Error(), "not trusted") {
			t.Errorf("%s: %+v", name, v)
		}
	}
	// Through an intermediate that the file brings along.
	between := &authority{t: t, key: newKey(t)}
	between.cert = a.sign(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, between.key, a.cert)
	c := between.carrier()
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	for _, chain := range [][]*x509.Certificate{{c.cert, between.cert}, {c.cert}} {
		v := stir.New(stir.Config{Roots: roots, Certificates: map[string][]*x509.Certificate{where: chain}, Now: clock}).
			Verify(context.Background(), []string{c.identity()}, call)
		if (v.Verstat == stir.Passed) != (len(chain) == 2) {
			t.Errorf("chain of %d: %+v", len(chain), v)
		}
	}
}

func TestFirstThatPassesCounts(t *testing.T) {
	a := newAuthority(t)
	c := a.carrier()
	div := c.identity(func(h, _ object) { h["ppt"] = "div" })
	bad := c.identity(func(_, c object) { c["attest"] = "D" })
	for _, tc := range []struct {
		identities []string
		want       string
	}{
		{nil, stir.None},
		{[]string{div}, stir.None},
		{[]string{div, bad}, stir.Failed},
		{[]string{bad, div}, stir.Failed},
		{[]string{div, bad, c.identity()}, stir.Passed},
		{[]string{div, div, div, div, c.identity()}, stir.None}, // more than anybody sends
	} {
		if v := trusting(a, c).Verify(context.Background(), tc.identities, call); v.Verstat != tc.want || v.Judged != (tc.want != stir.None) {
			t.Errorf("%d identities: %+v", len(tc.identities), v)
		}
	}
}

func TestLoad(t *testing.T) {
	if v, err := stir.Load(stir.Files{}, clock); v != nil || err != nil {
		t.Errorf("nothing named: %v, %v", v, err)
	}
	a := newAuthority(t)
	c := a.carrier()
	dir := t.TempDir()
	roots, sp, bad := filepath.Join(dir, "roots.pem"), filepath.Join(dir, "sp.pem"), filepath.Join(dir, "bad.pem")
	for file, data := range map[string][]byte{roots: encoded(a.cert), sp: encoded(c.cert), bad: []byte("no")} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	v, err := stir.Load(stir.Files{Roots: roots, Certs: map[string]string{where: sp}}, clock)
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Verify(context.Background(), []string{c.identity()}, call); got.Verstat != stir.Passed || got.OrigID == "" {
		t.Errorf("%+v", got)
	}
	for _, f := range []stir.Files{{Roots: bad}, {Roots: filepath.Join(dir, "none")}, {Roots: roots, Certs: map[string]string{where: bad}}} {
		if _, err := stir.Load(f, clock); err == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
}

// FuzzVerify: whatever is signed, with whatever around it, is judged without a
// crash, and passes only when it is what the carrier signed.
func FuzzVerify(f *testing.F) {
	a := newAuthority(f)
	c := a.carrier()
	good := c.identity()
	v := trusting(a, c)
	for _, s := range []string{good, "", "..", "a.b.c;info=<", ";;=;", good + ";", strings.Replace(good, "<", "", 1), `x.y.z;info="`} {
		f.Add(s)
	}
	token := strings.Split(good, ";")[0]
	f.Fuzz(func(t *testing.T, identity string) {
		if got := v.Verify(context.Background(), []string{identity}, call); got.Verstat == stir.Passed && !strings.Contains(identity, token) {
			t.Errorf("%q passes", identity)
		}
	})
}
