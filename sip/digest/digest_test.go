package digest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const realm = "pbx.example.com"

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func fixture() (*Challenger, *clock) {
	c := &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	return New(realm, c.now), c
}

func users(user string) (string, bool) {
	p, ok := map[string]string{"alice": "wonder land", `o"brien\`: "secret"}[user]
	return p, ok
}

func answer(t testing.TB, challenge, method, uri, user, password string, nc int) string {
	t.Helper()
	a, err := Respond(challenge, method, uri, user, password, nc, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The examples of RFC 7616 §3.9.1 and RFC 2617 §3.5.
func TestResponseOfTheRFCs(t *testing.T) {
	for _, c := range []struct{ algorithm, user, realm, password, nonce, cnonce, want string }{
		{"MD5", "Mufasa", "http-auth@example.org", "Circle of Life", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
			"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "8ca523f5e9506fed4657c9700eebdbec"},
		{"SHA-256", "Mufasa", "http-auth@example.org", "Circle of Life", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
			"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
		{"", "Mufasa", "testrealm@host.com", "Circle Of Life", "dcd98b7102dd2f0e8b11d0f600bfb0c093",
			"0a4f113b", "6629fae49393a05397450978507c4ef1"},
	} {
		f := Fields{Username: c.user, Realm: c.realm, Nonce: c.nonce, URI: "/dir/index.html", Algorithm: c.algorithm,
			CNonce: c.cnonce, QOP: "auth", NC: 1, nc: "00000001"}
		got, ok := response(f, "GET", c.password)
		if !ok || got != c.want {
			t.Errorf("%s: %s", c.algorithm, got)
		}
	}
}

func TestRightPasswordPasses(t *testing.T) {
	c, _ := fixture()
	for _, challenge := range c.For("").Agent("Linphone/5.1").Challenge(false) {
		for nc := 1; nc < 4; nc++ {
			a := answer(t, challenge, "INVITE", "sip:100@pbx.example.com", "alice", "wonder land", nc)
			user, err := c.Verify(a, "INVITE", "sip:100@pbx.example.com", users)
			if err != nil || user != "alice" {
				t.Errorf("nc %d of %s: %q, %v", nc, challenge, user, err)
			}
		}
	}
}

func TestVerifyRejects(t *testing.T) {
	c, clk := fixture()
	other := New(realm, clk.now)
	fresh := func() string { return c.Challenge(false)[0] }
	const uri = "sip:100@pbx.example.com"
	good := func() string { return answer(t, fresh(), "INVITE", uri, "alice", "wonder land", 1) }
	replay := func(old, with string) string { return strings.Replace(good(), old, with, 1) }
	for _, tc := range []struct {
		name, authorization string
		want                error
	}{
		{"nothing", "", ErrMissing},
		{"another scheme", "Basic YWxpY2U6eA==", ErrMissing},
		{"another realm", replay(realm, "elsewhere"), ErrMissing},
		{"wrong password", answer(t, fresh(), "INVITE", uri, "alice", "guess", 1), ErrRejected},
		{"unknown user", answer(t, fresh(), "INVITE", uri, "mallory", "wonder land", 1), ErrRejected},
		{"another method", answer(t, fresh(), "BYE", uri, "alice", "wonder land", 1), ErrRejected},
		{"another URI", answer(t, fresh(), "INVITE", "sip:900@pbx.example.com", "alice", "wonder land", 1), ErrRejected},
		{"nonce of a former life", answer(t, other.Challenge(false)[0], "INVITE", uri, "alice", "wonder land", 1), ErrStale},
		{"no nonce", replay("nonce=", "n="), ErrRejected},
		{"qop not offered", replay("qop=auth", "qop=auth-int"), ErrRejected},
		{"algorithm not offered", replay("algorithm=MD5", "algorithm=MD5-sess"), ErrRejected},
		{"algorithm unheard of", replay("algorithm=MD5", "algorithm=ROT13"), ErrRejected},
		{"nc missing", replay("nc=00000001", "x=00000001"), ErrRejected},
		{"user twice", replay("username=", `username="bob", username=`), ErrRejected},
		{"quote open", good() + `, opaque="`, ErrRejected},
		{"line break", strings.Replace(good(), "alice", "al\r\nice", 1), ErrRejected},
	} {
		user, err := c.Verify(tc.authorization, "INVITE", uri, users)
		if !errors.Is(err, tc.want) || user != "" {
			t.Errorf("%s: %q, %v", tc.name, user, err)
		}
	}
}

func TestReplayIsStale(t *testing.T) {
	c, _ := fixture()
	challenge := c.Challenge(false)[0]
	verify := func(nc int) error {
		_, err := c.Verify(answer(t, challenge, "REGISTER", "sip:h", "alice", "wonder land", nc), "REGISTER", "sip:h", users)
		return err
	}
	for _, step := range []struct {
		nc   int
		want error
	}{{1, nil}, {1, ErrStale}, {5, nil}, {3, ErrStale}, {6, nil}} {
		if err := verify(step.nc); !errors.Is(err, step.want) {
			t.Errorf("nc %d: %v", step.nc, err)
		}
	}
	// A wrong password is told as such, replayed or not.
	bad := answer(t, challenge, "REGISTER", "sip:h", "alice", "guess", 2)
	if _, err := c.Verify(bad, "REGISTER", "sip:h", users); !errors.Is(err, ErrRejected) {
		t.Errorf("wrong password: %v", err)
	}
}

func TestNonceAges(t *testing.T) {
	c, clk := fixture()
	challenge := c.Challenge(false)[0]
	clk.t = clk.t.Add(DefaultLifetime)
	if _, err := c.Verify(answer(t, challenge, "REGISTER", "sip:h", "alice", "wonder land", 1), "REGISTER", "sip:h", users); err != nil {
		t.Errorf("at the end of its life: %v", err)
	}
	clk.t = clk.t.Add(time.Second)
	if _, err := c.Verify(answer(t, challenge, "REGISTER", "sip:h", "alice", "wonder land", 2), "REGISTER", "sip:h", users); !errors.Is(err, ErrStale) {
		t.Errorf("after it: %v", err)
	}
	if ch := c.Challenge(true)[0]; !strings.Contains(ch, "stale=true") {
		t.Error(ch)
	}
}

func TestNonceOfAnotherSourceIsStale(t *testing.T) {
	c, _ := fixture()
	a := answer(t, c.For("10.0.0.1").Challenge(false)[0], "REGISTER", "sip:h", "alice", "wonder land", 1)
	if _, err := c.For("10.0.0.2").Verify(a, "REGISTER", "sip:h", users); !errors.Is(err, ErrStale) {
		t.Errorf("from elsewhere: %v", err)
	}
	if _, err := c.For("10.0.0.1").Verify(a, "REGISTER", "sip:h", users); err != nil {
		t.Errorf("from its source: %v", err)
	}
}

func TestOfferSuitsTheAgent(t *testing.T) {
	c, _ := fixture()
	for agent, want := range map[string][]string{
		"":                               {MD5},
		"baresip v1.0.0 (x86_64/linux)":  {MD5},
		"baresip v3.10.1 (x86_64/linux)": {SHA256, MD5},
		"Linphone/5.1.65 (belle-sip/5)":  {SHA256, MD5},
	} {
		var got []string
		for _, v := range c.For("").Agent(agent).Challenge(false) {
			f, err := Parse(v)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, f.Algorithm)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q is offered %v", agent, got)
		}
	}
}

// What an RFC 2069 client sends, no qop and no nc, cannot be told from a replay.
func TestLegacyClientIsRefused(t *testing.T) {
	c, _ := fixture()
	f, err := Parse(c.Challenge(false)[0])
	if err != nil {
		t.Fatal(err)
	}
	a := answer(t, fmt.Sprintf(`Digest realm=%q, nonce=%q`, f.Realm, f.Nonce), "REGISTER", "sip:h", "alice", "wonder land", 1)
	if strings.Contains(a, "qop") || strings.Contains(a, "nc=") {
		t.Fatal(a)
	}
	if _, err := c.Verify(a, "REGISTER", "sip:h", users); !errors.Is(err, ErrRejected) {
		t.Error(err)
	}
}

func TestNonceOfAnotherCallIsStale(t *testing.T) {
	c, _ := fixture()
	here := c.For("10.0.0.1")
	challenge := here.Call("a").Challenge(false)[0]
	for i, step := range []struct {
		call string
		want error
	}{{"a", nil}, {"b", ErrStale}, {"a", nil}, {"", ErrStale}} {
		a := answer(t, challenge, "REGISTER", "sip:h", "alice", "wonder land", i+1)
		if _, err := here.Call(step.call).Verify(a, "REGISTER", "sip:h", users); !errors.Is(err, step.want) {
			t.Errorf("step %d: %v", i, err)
		}
	}
}

func TestURINeedNotBeTheSameText(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"sip:pbx.example.com", "sip:PBX.example.com:5060;transport=udp", true},
		{"sip:alice@h", "sip:alice@h;user=phone", true},
		{"sip:Alice@h", "sip:alice@h", false},
		{"sip:h", "sips:h", false},
		{"sip:h:5061", "sip:h", false},
		{"", "sip:h", false},
		{"*", "sip:h", false},
	} {
		if sameTarget(c.a, c.b) != c.same {
			t.Errorf("%q, %q", c.a, c.b)
		}
	}
}

func TestCountersForgetSafely(t *testing.T) {
	c := newCounters(4)
	at := func(i int) time.Time { return time.Unix(int64(i), 0) }
	name := func(i int) string { return fmt.Sprint("nonce", i) }
	for i := 1; i <= 10; i++ {
		if !c.rise(name(i), at(i), 1) {
			t.Errorf("nonce %d refused", i)
		}
		if len(c.highest) > 4 || len(c.queue) != len(c.highest) {
			t.Fatalf("%d remembered", len(c.highest))
		}
	}
	for i := 1; i <= 10; i++ {
		if c.rise(name(i), at(i), 1) {
			t.Errorf("nonce %d replayed", i)
		}
	}
	if !c.rise(name(10), at(10), 2) {
		t.Error("the last nonce no longer counts")
	}
}

func TestRespondRefuses(t *testing.T) {
	for _, challenge := range []string{
		"", "Basic realm=x", "Digest", `Digest realm="x", nonce="n", algorithm=ROT13`, `Digest realm="x", nonce="n", qop="auth-int"`,
	} {
		if a, err := Respond(challenge, "INVITE", "sip:h", "u", "p", 1, nil); err == nil {
			t.Errorf("%q: %s", challenge, a)
		}
	}
	if _, err := Respond(`Digest realm="x", nonce="n"`, "INVITE", "sip:h\r\nX: y", "u", "p", 1, nil); err == nil {
		t.Error("wrote a line break")
	}
	if _, err := Respond(`Digest realm="x", nonce="n", qop=auth`, "INVITE", "sip:h", "u", "p", 1, bytes.NewReader(nil)); err == nil {
		t.Error("made a client nonce of nothing")
	}
}

func TestRespondQuotes(t *testing.T) {
	a := answer(t, `Digest realm="a \"b\"", nonce="n", opaque="o", algorithm=SHA-256, qop="auth-int,auth"`, "INVITE", "sip:h", `o"brien\`, "p", 31)
	for _, want := range []string{`username="o\"brien\\"`, `realm="a \"b\""`, `qop=auth,`, `nc=0000001f`, `algorithm=SHA-256,`, `opaque="o"`} {
		if !strings.Contains(a+",", want) {
			t.Errorf("no %s in %s", want, a)
		}
	}
}

func TestChoose(t *testing.T) {
	md5, sha, odd := `Digest realm="x", nonce="1"`, `Digest realm="x", nonce="2", algorithm=SHA-256`, `Digest realm="x", nonce="3", algorithm=SHA-512-256`
	for _, c := range []struct {
		in   []string
		want string
	}{{[]string{sha, md5}, sha}, {[]string{md5, sha}, md5}, {[]string{odd, md5}, md5}, {[]string{odd}, ""}, {nil, ""}} {
		got, err := Choose(c.in)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q: %q, %v", c.in, got, err)
		}
	}
}

// Whatever the names, what Respond writes Verify accepts, and only for the
// right password.
func TestRespondAndVerifyAgree(t *testing.T) {
	text := rapid.StringMatching(`[ -~]{1,40}`)
	rapid.Check(t, func(r *rapid.T) {
		clk := &clock{t: time.Unix(1e9, 0)}
		c := New(text.Draw(r, "realm"), clk.now)
		user, password := text.Draw(r, "user"), text.Draw(r, "password")
		challenge := rapid.SampledFrom(c.For("s").Agent("x").Challenge(false)).Draw(r, "challenge")
		nc := rapid.IntRange(1, 1<<31-1).Draw(r, "nc")
		a, err := Respond(challenge, "INVITE", "sip:h", user, password, nc, nil)
		if err != nil {
			r.Fatal(err)
		}
		for _, known := range []string{password + "x", password} {
			got, err := c.For("s").Verify(a, "INVITE", "sip:h", func(string) (string, bool) { return known, true })
			if (err == nil) != (known == password) || err == nil && got != user {
				r.Fatalf("%s: %q, %v", a, got, err)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`Digest username="alice", realm="r", nonce="n", uri="sip:h", response="0", qop=auth, nc=00000001, cnonce="c"`,
		`Digest realm="a \"b\"",nonce=n , stale=TRUE,qop="auth,auth-int"`,
		`digest a=b,,c="\\"`, `Digest x`, `Digest x="`, `Digest x="\`, "", "Basic x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Parse(s)
		if err != nil {
			return
		}
		for _, v := range []string{got.Username, got.Realm, got.Nonce, got.URI, got.Response, got.CNonce, got.Opaque} {
			if strings.ContainsAny(v, "\r\n\x00") {
				t.Errorf("control characters in %q", v)
			}
		}
		if got.Response == "" || got.Algorithm != "" && !isToken(got.Algorithm) || got.QOP != "" && !isToken(got.QOP) {
			return
		}
		got.Domain, got.Stale = "", false
		if got.QOP == "" {
			got.NC, got.nc = 0, ""
		} else if got.nc == "" {
			return
		}
		again, err := Parse(got.credentials())
		if err != nil || again != got {
			t.Errorf("%q written as %q reads as %+v, %v", s, got.credentials(), again, err)
		}
	})
}

func FuzzVerify(f *testing.F) {
	c, _ := fixture()
	f.Add(`Digest username="alice", realm="pbx.example.com", nonce="n", uri="sip:h", response="0", qop=auth, nc=00000001, cnonce="c"`)
	f.Fuzz(func(t *testing.T, s string) {
		if user, err := c.Verify(s, "INVITE", "sip:h", users); err == nil {
			t.Errorf("%q let %s in", s, user)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	c, _ := fixture()
	challenge := c.Challenge(false)[0]
	for i := 1; b.Loop(); i++ {
		a, _ := Respond(challenge, "REGISTER", "sip:h", "alice", "wonder land", i, nil)
		if _, err := c.Verify(a, "REGISTER", "sip:h", users); err != nil {
			b.Fatal(err)
		}
	}
}

func TestIssued(t *testing.T) {
	c := New("r", time.Now)
	answer := func(source string) string {
		v, err := Respond(c.For(source).Challenge(false)[0], "REGISTER", "sip:r", "u", "wrong", 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if !c.For("a").Issued(answer("a")) {
		t.Error("a nonce that was given to the source is not known")
	}
	for _, v := range []string{answer("b"), "", `Digest nonce="x"`, "Digest ,,=", "Basic dTpw"} {
		if c.For("a").Issued(v) {
			t.Errorf("a nonce of somebody else passes: %s", v)
		}
	}
}
