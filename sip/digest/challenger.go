package digest

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"
)

// What Verify returns besides nil; compare with errors.Is.
var (
	// ErrMissing: no credentials for this realm. Challenge.
	ErrMissing = errors.New("digest: no credentials")
	// ErrStale: the nonce is too old, used up or not of this process, which says
	// nothing about the password. Challenge with stale=true.
	ErrStale = errors.New("digest: stale nonce")
	// ErrRejected: malformed, wrong user, wrong password or another request's
	// credentials. Challenge, and count it against the source.
	ErrRejected = errors.New("digest: credentials rejected")
)

// DefaultLifetime is how long a nonce is accepted.
const DefaultLifetime = 5 * time.Minute

// Challenger makes challenges for one realm and verifies what comes back.
type Challenger struct {
	// Algorithms are offered in this order. Set it before first use.
	Algorithms []string
	// Lifetime of a nonce. Set it before first use.
	Lifetime time.Duration

	realm string
	now   func() time.Time
	seal  sealer
	used  counters
}

// New makes a challenger with a nonce key of its own: a restart makes every
// nonce stale, which costs each phone one round trip.
func New(realm string, now func() time.Time) *Challenger {
	return &Challenger{
		Algorithms: []string{SHA256, MD5},
		Lifetime:   DefaultLifetime,
		realm:      realm,
		now:        now,
		seal:       newSealer(),
		used:       newCounters(maxCounters),
	}
}

// Challenge gives the values of the WWW-Authenticate (or Proxy-Authenticate)
// headers of a 401 (407), for a client about which nothing is known: see
// Bound.Agent.
func (c *Challenger) Challenge(stale bool) []string { return c.For("").Challenge(stale) }

// Verify checks the value of an Authorization header against the request it came
// in. method and uri are those of the request line. lookup gives the password of
// a user; unknown users cost the same work as known ones.
func (c *Challenger) Verify(authorization, method, uri string, lookup func(user string) (password string, ok bool)) (user string, err error) {
	return c.For("").Verify(authorization, method, uri, lookup)
}

// For binds challenges to a source, for example its IP address: a nonce given to
// one source is stale for every other.
func (c *Challenger) For(source string) Bound { return Bound{c: c, source: source} }

// Bound is a Challenger for one source.
type Bound struct {
	c      *Challenger
	source string
	call   string
	agent  string
}

// Call binds challenges to a Call-ID as well: a phone that comes back with the
// nonce of another call is told that it is stale, and loses a round trip; what
// was overheard of one call is worth nothing for another.
func (b Bound) Call(id string) Bound {
	b.call = id
	return b
}

// to is what a nonce is bound to.
func (b Bound) to() string { return b.source + "\x00" + b.call }

// Agent tells the User-Agent of the request to challenge, which decides what is
// offered.
func (b Bound) Agent(userAgent string) Bound {
	b.agent = userAgent
	return b
}

// Challenge is Challenger.Challenge for this source. Each challenge has a nonce
// of its own: some clients try one algorithm after the other and count nc for
// each.
func (b Bound) Challenge(stale bool) []string {
	c := b.c
	offer := c.offer(b.agent)
	out := make([]string, 0, len(offer))
	for _, a := range offer {
		nonce := c.seal.issue(c.now(), b.to())
		v := fmt.Sprintf("Digest realm=%s, nonce=%s, algorithm=%s, qop=%s", quote(c.realm), quote(nonce), a, quote("auth"))
		if stale {
			v += ", stale=true"
		}
		out = append(out, v)
	}
	return out
}

// Verify is Challenger.Verify for this source.
func (b Bound) Verify(authorization, method, uri string, lookup func(user string) (password string, ok bool)) (string, error) {
	if strings.Trim(authorization, " \t") == "" {
		return "", ErrMissing
	}
	f, err := Parse(authorization)
	switch {
	case errors.Is(err, ErrScheme):
		return "", ErrMissing
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrRejected, err)
	case f.Realm != b.c.realm:
		return "", ErrMissing
	}
	if err := b.c.check(f, uri); err != nil {
		return "", err
	}

	issued, genuine := b.c.seal.open(f.Nonce, b.to())
	password, known := lookup(f.Username)
	if !known {
		password = b.c.seal.decoy
	}
	want, _ := response(f, method, password)
	right := subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(f.Response))) == 1
	switch {
	case !genuine:
		// Not one of ours: after a restart every phone comes with such a nonce.
		// The password is not judged, so this tells a guesser nothing.
		return "", ErrStale
	case !known || !right:
		return "", ErrRejected
	case !b.c.fresh(issued):
		return "", ErrStale
	case !b.c.used.rise(f.Nonce, issued, f.NC):
		return "", ErrStale
	}
	return f.Username, nil
}

// User is whose password an Authorization header claims to know, as far as it can
// be read.
func User(authorization string) string {
	f, err := Parse(authorization)
	if err != nil {
		return ""
	}
	return f.Username
}

// Issued reports whether an Authorization header carries a nonce that was given to
// this source: so it receives what is sent to it, and is no forged address.
func (b Bound) Issued(authorization string) bool {
	f, err := Parse(authorization)
	if err != nil {
		return false
	}
	_, genuine := b.c.seal.open(f.Nonce, b.to())
	return genuine
}

// check refuses what cannot be an answer to one of our challenges.
func (c *Challenger) check(f Fields, uri string) error {
	name := f.Algorithm
	if name == "" {
		name = MD5
	}
	offered := false
	for _, a := range c.Algorithms {
		offered = offered || strings.EqualFold(a, name)
	}
	switch {
	case !offered:
		return fmt.Errorf("%w: algorithm not offered", ErrRejected)
	case f.Username == "" || f.Nonce == "" || f.Response == "":
		return fmt.Errorf("%w: incomplete", ErrRejected)
	case !strings.EqualFold(f.QOP, "auth"):
		// Neither is RFC 2069's style without any: nothing in it is counted.
		return fmt.Errorf("%w: qop not offered", ErrRejected)
	case f.NC == 0 || f.CNonce == "":
		return fmt.Errorf("%w: no nc or cnonce", ErrRejected)
	case !sameTarget(f.URI, uri):
		return fmt.Errorf("%w: credentials for another URI", ErrRejected)
	}
	return nil
}

func (c *Challenger) fresh(issued time.Time) bool {
	age := c.now().Sub(issued)
	return age >= 0 && age <= c.Lifetime
}

// sameTarget compares the digest URI with the Request-URI. RFC 7616 §3.4.6 asks
// for the same resource, not the same text: phones leave out parameters and the
// default port in one of the two.
func sameTarget(a, b string) bool {
	return a != "" && (a == b || target(a) == target(b))
}

func target(uri string) string {
	if i := strings.IndexAny(uri, ";?"); i >= 0 {
		uri = uri[:i]
	}
	scheme, rest, ok := strings.Cut(uri, ":")
	if !ok {
		return uri
	}
	user, host := "", rest
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		user, host = rest[:i+1], rest[i+1:]
	}
	host = strings.ToLower(host)
	scheme = strings.ToLower(scheme)
	switch scheme {
	case "sip":
		host = strings.TrimSuffix(host, ":5060")
	case "sips":
		host = strings.TrimSuffix(host, ":5061")
	}
	return scheme + ":" + user + host
}
