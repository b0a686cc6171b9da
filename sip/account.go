package sip

import (
	"errors"

	"b2bua/sip/digest"

	sipmsg "github.com/emiago/sipgo/sip"
)

// account is what proves us to a registrar or a proxy: a user name, a password,
// and the challenges they have sent. It may outlive a request, so that the next
// one comes with an answer to the last nonce and needs no second try (RFC 7616
// §3.6). It is used by one request at a time.
type account struct {
	username, password string

	proofs map[string]*proof // by the name of the header that answers
}

// proof is a challenge and how often it was answered.
type proof struct {
	challenge string
	realm     string // of the first challenge: no other gets an answer
	count     int
	fresh     bool // it came for the request under way
}

var (
	errNoPassword = errors.New("challenged, and there is no user name for it")
	errDenied     = errors.New("the password was not accepted")
	errRealm      = errors.New("challenged for another realm, or in a way not spoken here")
)

// begin forgets which challenges came for an earlier request.
func (a *account) begin() {
	for _, p := range a.proofs {
		p.fresh = false
	}
}

// answers are the headers of a request, for the challenges that are known.
func (a *account) answers(method, uri string) []Header {
	var out []Header
	for _, name := range []string{"Authorization", "Proxy-Authorization"} {
		p := a.proofs[name]
		if p == nil {
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
func (a *account) challenged(res *sipmsg.Response) error {
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
	if old != nil && old.fresh && !f.Stale {
		return errDenied
	}
	if a.proofs == nil {
		a.proofs = map[string]*proof{}
	}
	a.proofs[name] = &proof{challenge: challenge, realm: f.Realm, fresh: true}
	return nil
}
