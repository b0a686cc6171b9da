package sip

import (
	"cmp"
	"context"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"b2bua/internal/loop"

	sipmsg "github.com/emiago/sipgo/sip"
)

// Registration asks a registrar to send us the calls of an account (RFC 3261
// §10.2).
type Registration struct {
	Target  Target        // the registrar, with the account's name and password
	Expires time.Duration // how long we wish to be registered at a time; 0 means an hour
	// Changed is told, in order, whenever the state has changed. It must not block.
	Changed func(RegistrationState)
}

// RegistrationState is how a registration stands.
type RegistrationState struct {
	Registered bool
	Expires    time.Time  // when it ends unless it is refreshed
	Remote     netip.Addr // where the registrar is: calls come from there
	Local      string     // host and port of our Contact
	Routes     []string   // Service-Route, the way for calls (RFC 3608)
	Code       int        // of the last answer; 408 or 503 when there was none
	Reason     string     // its text, or why there was none
	Failures   int        // in a row
	Retry      time.Time  // when the next attempt is due, after a failure
}

// Registered is a registration that is kept up until it is stopped. It has no
// goroutine: whoever brings an answer, or a timer, does what is next.
type Registered struct {
	ep   *Endpoint
	r    Registration
	box  mailbox
	done chan struct{} // closed once it has ended

	mu    sync.Mutex
	state RegistrationState

	// What follows is only touched in the box.

	host    string // of the registrar, as in To
	uri     string // Request-URI
	account account
	callID  string
	cseq    uint32
	wish    time.Duration
	pending bool // a REGISTER is under way
	ending  bool
	brief   bool // this attempt has been told a minimum
	timer   *loop.Timer
	expiry  *loop.Timer
	due     time.Time // of the refresh

	home  netip.AddrPort // see home.go
	since time.Time
	cuts  int
}

const (
	defaultWish = time.Hour
	maxWish     = 24 * time.Hour
	maxRetry    = time.Hour // however long a registrar asks us to stay away

	intervalTooBrief = 423
)

// Register registers, and goes on doing so until it is stopped: it refreshes in
// time and tries again after failures, ever less often.
func (e *Endpoint) Register(r Registration) *Registered {
	x := &Registered{ep: e, r: r, done: make(chan struct{}), callID: newToken() + newToken(),
		account: account{username: r.Target.Username, password: r.Target.Password},
		wish:    min(cmp.Or(r.Expires, defaultWish), maxWish)}
	x.box.onPanic = func(v any, stack []byte) {
		e.panics.Add(1)
		e.log.Error("registration panicked", "err", v, "stack", string(stack))
	}
	e.background(func() {
		select {
		case <-e.ready:
			x.box.post(x.attempt)
		case <-e.closed:
		}
	})
	return x
}

// State is how it stands.
func (x *Registered) State() RegistrationState {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.state
}

// Stop takes the registration back (RFC 3261 §10.2.2) and waits until the
// registrar has confirmed it, or ctx ends. It may be called more than once.
func (x *Registered) Stop(ctx context.Context) {
	x.box.post(x.leave)
	select {
	case <-x.done:
	case <-ctx.Done():
	case <-x.ep.closed:
	}
}

// Refresh registers now, for example because the registrar has lost us.
func (x *Registered) Refresh() { x.box.post(x.attempt) }

// become changes the state and tells of it.
func (x *Registered) become(change func(*RegistrationState)) {
	x.mu.Lock()
	change(&x.state)
	now := x.state
	x.mu.Unlock()
	if x.r.Changed != nil {
		x.r.Changed(now)
	}
}

// attempt sends a REGISTER, unless one is under way.
func (x *Registered) attempt() {
	if x.pending || x.ending || x.ep.closing() {
		return
	}
	u, err := Dial{Target: x.r.Target}.uri()
	if err != nil {
		x.failed(reply{err: err})
		return
	}
	// RFC 3261 §10.2: the Request-URI names the registrar's domain, no user.
	u.User, u.Password = "", ""
	x.host, x.uri = u.Host, uriText(u)
	x.timer.Stop()
	x.brief = false
	x.send(x.wish)
}

func (x *Registered) send(wish time.Duration) {
	x.pending = true
	me := "<sip:" + escapeUser(x.r.Target.Username) + "@" + x.host + ">"
	if x.r.Target.Username == "" {
		me = "<sip:" + x.host + ">"
	}
	expires := strconv.Itoa(int(wish / time.Second))
	x.ep.ask(question{target: x.r.Target, method: "REGISTER", uri: x.uri, from: me, to: me, callID: x.callID, cseq: x.cseq,
		account: &x.account, headers: func(way flow) []Header {
			return []Header{{"Contact", way.contact(x.r.Target.Username)}, {"Expires", expires}, allowHeader, supportedHeader}
		}}, func(r reply) { x.box.post(func() { x.answered(r, wish) }) })
}

// answered takes the outcome of a REGISTER.
func (x *Registered) answered(r reply, wish time.Duration) {
	x.pending = false
	x.cseq = max(x.cseq, r.cseq)
	switch {
	case x.ending && wish == 0:
		x.over()
		return
	case x.ending: // asked to stop while it was under way
		if r.res != nil && r.res.IsSuccess() {
			x.send(0)
		} else {
			x.over()
		}
		return
	case r.err == nil && r.res.StatusCode == intervalTooBrief && !x.brief:
		// RFC 3261 §10.2.8
		if least, _ := duration(r.res, "min-expires"); least > wish && least <= maxWish {
			x.brief, x.wish = true, least
			x.send(least)
			return
		}
	case r.err == nil && r.res.IsSuccess():
		if granted := grantedBy(r, x.r.Target.Username, wish); granted > 0 {
			x.registered(r, granted)
			return
		}
	}
	x.failed(r)
}

// registered: the registrar has taken us in.
func (x *Registered) registered(r reply, granted time.Duration) {
	was := x.State().Registered
	expires := x.ep.cfg.Now().Add(granted)
	x.become(func(s *RegistrationState) {
		*s = RegistrationState{Registered: true, Expires: expires, Remote: r.way.remote.Addr().Unmap(),
			Local: r.way.hostport(), Routes: serviceRoute(r.res), Code: r.res.StatusCode, Reason: plain(r.res.Reason)}
	})
	if !was {
		x.ep.log.Info("registered", "registrar", x.host, "user", x.r.Target.Username, "expires", granted)
	}
	x.lives(r.way)
	x.timer.Stop()
	again := refreshAfter(granted, x.ep.cfg.Random())
	x.due = x.ep.cfg.Now().Add(again)
	x.timer = loop.AfterFunc(x.box.post, again, x.attempt)
	x.expiry.Stop()
	x.expiry = loop.AfterFunc(x.box.post, granted, x.expired)
}

// expired: no refresh has come through in time.
func (x *Registered) expired() {
	if !x.ending {
		x.away()
		x.become(func(s *RegistrationState) { s.Registered = false })
	}
}

// failed waits before the next attempt. A registration that there is stays until
// it expires, or is refused.
func (x *Registered) failed(r reply) {
	code, reason := verdict(r.err)
	if r.res != nil {
		code, reason = r.res.StatusCode, plain(r.res.Reason)
	}
	if r.err != nil {
		reason = r.err.Error()
	}
	failures := x.State().Failures
	wait := backOff(code, failures, x.ep.cfg.Random())
	if r.res != nil {
		wait = max(wait, min(retryAfter(r.res), maxRetry))
	}
	if r.err != nil && r.res != nil {
		x.account.proofs = nil // the registrar may have changed its realm
	}
	x.become(func(s *RegistrationState) {
		s.Registered = s.Registered && !refusal(code)
		s.Code, s.Reason, s.Failures, s.Retry = code, reason, failures+1, x.ep.cfg.Now().Add(wait)
	})
	if !x.State().Registered {
		x.away()
	}
	if failures == 0 || refusal(code) {
		x.ep.log.Warn("not registered", "registrar", x.host, "user", x.r.Target.Username, "code", code, "reason", reason, "retry", wait)
	}
	x.timer.Stop()
	x.timer = loop.AfterFunc(x.box.post, wait, x.attempt)
}

// leave begins the end.
func (x *Registered) leave() {
	if x.ending {
		return
	}
	x.ending = true
	x.timer.Stop()
	x.expiry.Stop()
	switch {
	case x.pending: // its answer goes on
	case x.State().Registered:
		x.send(0)
	default:
		x.over()
	}
}

func (x *Registered) over() {
	x.away()
	x.become(func(s *RegistrationState) { s.Registered = false })
	close(x.done)
}

const maxServiceRoutes = 10

// serviceRoute reads the Service-Route of a 200 (RFC 3608).
func serviceRoute(res *sipmsg.Response) []string {
	var out []string
	for _, h := range res.GetHeaders("service-route") {
		for route := range strings.SplitSeq(h.Value(), ",") {
			route = plain(strings.TrimSpace(route))
			if len(out) == maxServiceRoutes || len(route) > maxText {
				return out
			}
			out = append(out, route)
		}
	}
	return out
}
