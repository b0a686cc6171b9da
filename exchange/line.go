package exchange

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"b2bua/api"
	"b2bua/flows"
	"b2bua/sip"
)

const (
	// deadAfter is how many pings in a row must fail before a trunk is skipped.
	deadAfter = 2
	// again is how soon a ping that failed is repeated: a trunk that dies is known
	// to be dead within a minute.
	again = 10 * time.Second
	// farewell is how long taking a registration back may take.
	farewell = 2 * time.Second
)

// lineConfig is all that a line depends on; it can be compared.
type lineConfig struct {
	name     string
	target   sip.Target
	register bool
	probe    time.Duration // 0: none
}

// configOf is what a trunk's line is made of; false when it needs none.
func configOf(t *flows.Trunk) (lineConfig, bool) {
	o := t.Outbound
	if o == nil || o.URI == "" {
		return lineConfig{}, false
	}
	c := lineConfig{name: t.Name, register: o.Register, target: sip.Target{URI: o.Address(), Username: o.Username,
		Password: o.Password, Insecure: o.TLSVerify != nil && !*o.TLSVerify}}
	if t.Probe >= 0 {
		c.probe = cmp.Or(time.Duration(t.Probe)*time.Second, flows.DefaultProbe)
	}
	return c, true
}

// line is what goes on between us and one trunk besides calls.
type line struct {
	of     *trunks
	id     string
	cfg    lineConfig
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	reg      sip.RegistrationState
	pinged   time.Time // when the last ping was answered, or was not
	code     int       // of its answer; 0 without
	trouble  string    // why there was none
	failures int       // in a row
	state    string    // as last told
	since    time.Time
}

// newLine begins a line, once the one that it replaces has ended: taking back the
// old registration must not end the new one.
func newLine(x *trunks, id string, c lineConfig, before *line) *line {
	l := &line{of: x, id: id, cfg: c, done: make(chan struct{}), state: api.TrunkUnknown, since: x.now()}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	x.wg.Go(func() {
		defer close(l.done)
		if before != nil {
			<-before.done
		}
		l.run(ctx)
	})
	return l
}

func (l *line) stop() { l.cancel() }

// ended reports whether nothing of the line goes on any more.
func (l *line) ended() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

func (l *line) run(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	if l.cfg.register {
		r := l.of.sip.Register(sip.Registration{Target: l.cfg.target, Changed: l.registered})
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), farewell)
			defer cancel()
			r.Stop(ctx)
		}()
	}
	if l.cfg.probe == 0 {
		<-ctx.Done()
		return
	}
	// Not all at once when the switch starts, nor together ever after.
	wait := l.cfg.probe/6 + l.of.chance(l.cfg.probe/3)
	for {
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
		code, err := l.of.sip.Ping(ctx, l.cfg.target)
		if ctx.Err() != nil {
			return
		}
		wait = l.ping(code, err)
	}
}

// ping takes the outcome of one and says when the next is due. Any answer will
// do, even that OPTIONS is not allowed, but those that say that nobody is there,
// or that nobody serves.
func (l *line) ping(code int, err error) time.Duration {
	l.mu.Lock()
	l.pinged, l.code, l.trouble = l.of.now(), code, ""
	if err != nil {
		l.trouble = err.Error()
	}
	if ok := err == nil && code != 408 && code != 503; ok {
		l.failures = 0
	} else {
		l.failures++
	}
	failures := l.failures
	l.settle()
	l.mu.Unlock()
	if failures > 0 && failures < deadAfter {
		return min(l.cfg.probe, again)
	}
	return l.cfg.probe*9/10 + l.of.chance(l.cfg.probe/10)
}

// registered is told of each change of the registration.
func (l *line) registered(s sip.RegistrationState) {
	l.mu.Lock()
	moved := s.Registered != l.reg.Registered || s.Remote != l.reg.Remote
	l.reg = s
	l.settle()
	l.mu.Unlock()
	if moved {
		l.of.republish()
	}
}

func (l *line) registration() sip.RegistrationState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reg
}

// settle works out whether the trunk is up, and says so when that is new; mu is
// held.
func (l *line) settle() {
	state, reason := l.judge()
	if state == l.state {
		return
	}
	was := l.state
	l.state, l.since = state, l.of.now()
	switch {
	case state == api.TrunkDown:
		l.of.log.Warn("trunk down", "trunk", l.id, "name", l.cfg.name, "reason", reason)
		if l.failures >= deadAfter {
			l.of.down(l.id)
		}
	case was == api.TrunkDown:
		l.of.log.Info("trunk up again", "trunk", l.id, "name", l.cfg.name)
	}
}

// judge is the rule; mu is held.
func (l *line) judge() (state, reason string) {
	switch {
	case l.cfg.register && !l.reg.Registered && l.reg.Failures > 0:
		return api.TrunkDown, "not registered: " + said(l.reg.Code, l.reg.Reason)
	case l.cfg.register && !l.reg.Registered:
		return api.TrunkUnknown, "not registered yet"
	case l.failures >= deadAfter:
		return api.TrunkDown, "no answer to OPTIONS: " + said(l.code, l.trouble)
	case l.failures > 0:
		return l.state, "" // one may be lost
	case l.cfg.register || l.code != 0:
		return api.TrunkUp, ""
	}
	return api.TrunkUnknown, ""
}

func said(code int, text string) string {
	if code == 0 {
		return text
	}
	return strings.TrimSpace(strconv.Itoa(code) + " " + text)
}

func (l *line) status() api.TrunkStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, reason := l.judge()
	s := api.TrunkStatus{State: l.state, Since: l.since, LastProbe: l.pinged, SIPCode: l.code, Reason: reason}
	if l.cfg.register {
		registered := l.reg.Registered
		s.Registered = &registered
		if registered {
			s.RegistrationExpiresAt = l.reg.Expires
		}
	}
	return s
}
