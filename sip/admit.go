package sip

import (
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"b2bua/sip/digest"

	sipmsg "github.com/emiago/sipgo/sip"
)

// caller is who sends a request: a trunk known by its address, or a trunk or a
// device that has proved its password.
type caller struct {
	trunk  *Trunk
	device *Device
}

// admit finds out who calls. It answers, or keeps silent, when nobody is let in.
func (e *Endpoint) admit(a arrival) (caller, bool) {
	// A phone may sit behind the address of a trunk: its own port tells.
	registered := e.registered(a.source, a.sock.network)
	if !registered {
		if t, ok := e.dir.TrunkBySource(a.source.Addr()); ok {
			return caller{trunk: &t}, true
		}
	}
	if e.shunned(a) || !registered && e.load.busy(time.Now()) {
		return caller{}, false
	}
	return e.authenticate(a, !registered)
}

// account finds the password of a user name, and whose it is. It looks in the
// same places whether or not there is such a user.
func (e *Endpoint) account(user string) (who caller, password string) {
	d, isDevice := e.dir.Device(user)
	t, secret, isTrunk := e.dir.TrunkByUsername(user)
	switch {
	case isDevice:
		return caller{device: &d}, d.Password
	case isTrunk:
		return caller{trunk: &t}, secret
	}
	return caller{}, ""
}

// authenticate verifies the credentials of a request, or challenges it: in the
// same way whether or not such a user exists. strict is for sources that have no
// business here unless they prove who they are: they are answered a few times.
//
// Over UDP the source of a request may be forged, so a failure counts against it
// only with a nonce that was sent there.
func (e *Endpoint) authenticate(a arrival, strict bool) (caller, bool) {
	source := a.source.Addr()
	agent, _ := value(a.req, "user-agent")
	verify := e.challenger.For(source.String()).Call(a.req.CallID().Value()).Agent(agent)
	uri := a.req.Recipient.String()
	var found caller
	lookup := func(user string) (password string, ok bool) {
		found, password = e.account(user)
		return password, password != ""
	}
	err := digest.ErrMissing
	there := a.sock.network != "udp" // the source is certain to be where it says
	tooFast := false
	for _, h := range a.req.GetHeaders("authorization") {
		// A nonce that was not sent there proves nothing and is not looked behind, so
		// it is no guess: else a forger could use up what the owner may guess.
		user, issued := digest.User(h.Value()), verify.Issued(h.Value())
		if tooFast = issued && !e.guard.Guess(source, user); tooFast {
			err = digest.ErrRejected // right or wrong: nobody types that fast
		} else {
			_, err = verify.Verify(h.Value(), string(a.req.Method), uri, lookup)
			if issued && !errors.Is(err, digest.ErrRejected) {
				e.guard.Right(source, user)
			}
		}
		if !errors.Is(err, digest.ErrMissing) {
			there = there || issued
			break
		}
	}
	failed := errors.Is(err, digest.ErrRejected) && !tooFast || errors.Is(err, digest.ErrMissing) && strict
	switch {
	case err == nil:
		e.guard.Forgive(source)
		return found, true
	case failed && there:
		if e.guard.Strike(source) {
			e.log.Warn("source banned", "source", source, "cause", err)
			if e.shunned(a) {
				return caller{}, false
			}
		}
	case strict && !e.guard.Answer(source):
		// An address that anybody can write into a datagram: nobody is banned for
		// what may come from somebody else.
		return caller{}, false
	}
	var headers []Header
	for _, c := range verify.Challenge(errors.Is(err, digest.ErrStale)) {
		headers = append(headers, Header{"WWW-Authenticate", c})
	}
	e.refuse(a, 401, headers...)
	return caller{}, false
}

// statelessTag is the To tag of answers given without a transaction: the same
// for every repetition of a request.
func (e *Endpoint) statelessTag(req *sipmsg.Request) string {
	if req.CallID() == nil || req.Via() == nil {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{e.salt, req.CallID().Value(), req.Via().Value()}, "\x00")))
	return tokenText.EncodeToString(sum[:10])
}
