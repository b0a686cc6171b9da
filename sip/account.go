package sip

import (
	"errors"

	"b2bua/sip/digest"

	sipmsg "github.com/emiago/sipgo/sip"
)

// account is what proves us to a registrar or a proxy: a user name, a password,
// and the challenges they have sent. It may outlive a request, so that the next
// one comes with an answer to the last nonce and needs no second try (RFC 7616
// §3.6). What belongs to one of its requests only is a trial.
type account struct {
	username, password string

	proofs map[string]*proof // by the name of the header that answers
}

// proof is a challenge and how often it was answered.
type proof struct {
	challenge string // empty: none of the server that is asked now
	realm     string // of the first challenge: no other gets an answer
	count     int
}

// trial is how often the tries of one request were challenged, by the name of the
// header that answers. An edge and whoever is behind it both may (RFC 3261 §22.3).
type trial map[string]int

// maxProofs is how many challenges of one kind are answered for one request: the
// first, and one because its nonce was too old meanwhile. Without a bound somebody
// could go on for ever with new ones.
const maxProofs = 2

var (
	errNoPassword = errors.New("challenged, and there is no user name for it")
	errDenied     = errors.New("the password was not accepted")
	errRealm      = errors.New("challenged for another realm, or in a way not spoken here")
)

// elsewhere: another server of the same target is asked from now on. It is not
// shown what was proved to the one before, but its realm must be the same.
func (a *account) elsewhere() {
	for _, p := range a.proofs {
		p.challenge = ""
	}
}

// answers are the headers of a request, for the challenges that are known.
func (a *account) answers(method, uri string) []Header {
	var out []Header
	for _, name := range []string{"Authorization", "Proxy-Authorization"} {
		p := a.proofs[name]
		if p == nil || p.challenge == "" {
			continue
		}
		p.count++
		v, err := digest.Respond(p.challenge, method, uri, a.username, a.password, p.count, nil)
		if err == nil {
			out = append(out, Header{name, v})
		}
	}
	return out
}

// challenged takes a 401 or 407 and says why it is of no use to try again. A
// second challenge for one request means that the password is wrong, unless it
// says that only the nonce was too old (RFC 7616 §3.3).
func (a *account) challenged(res *sipmsg.Response, t trial) error {
	if a.username == "" {
		return errNoPassword
	}
	ask, name := "www-authenticate", "Authorization"
	if res.StatusCode == sipmsg.StatusProxyAuthRequired {
		ask, name = "proxy-authenticate", "Proxy-Authorization"
	}
	old := a.proofs[name]
	var known []string
	for _, h := range res.GetHeaders(ask) {
		if f, err := digest.Parse(h.Value()); err == nil && (old == nil || f.Realm == old.realm) {
			known = append(known, h.Value())
		}
	}
	challenge, err := digest.Choose(known)
	if err != nil {
		return errRealm
	}
	f, err := digest.Parse(challenge)
	if err != nil {
		return errRealm
	}
	if n := t[name]; n > 0 && !f.Stale || n >= maxProofs {
		return errDenied
	}
	t[name]++
	if a.proofs == nil {
		a.proofs = map[string]*proof{}
	}
	a.proofs[name] = &proof{challenge: challenge, realm: f.Realm}
	return nil
}
