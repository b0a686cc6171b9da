package phone

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
)

// State is how far a call has come.
type State int

// The states of a call, in order.
const (
	Calling     State = iota // INVITE sent, or received
	Trying                   // 100 received, or sent
	Ringing                  // another provisional response
	Answered                 // our 200 waits for its ACK
	Established              // 200 and ACK
	Ended
)

func (s State) String() string {
	return [...]string{"calling", "trying", "ringing", "answered", "established", "ended"}[s]
}

// Who or what ended a call.
const (
	ByUs      = "us"       // Hangup, Cancel, Reject
	ByThem    = "them"     // BYE or CANCEL
	ByRefusal = "refusal"  // a failure response
	ByTimeout = "time-out" // no response, no ACK
	ByError   = "error"    // this end failed
)

// Ending says how a call ended.
type Ending struct {
	By     string
	Code   int    // of the final response to the INVITE, 0 when it was answered
	Reason string // its phrase
	Header string // the Reason header (RFC 3326) of the request or response that ended it
}

// EndedError is what waiting for something else than the end of a call returns
// when it ended.
type EndedError struct{ Ending }

func (e *EndedError) Error() string {
	s := "call ended by " + e.By
	if e.Code > 0 {
		s += fmt.Sprintf(": %d %s", e.Code, e.Reason)
	}
	return s
}

// StatusError is a failure response to a request within a call, or to a REGISTER.
type StatusError struct {
	Code    int
	Reason  string
	Warning string // the Warning header (RFC 3261 §20.43)
}

func (e *StatusError) Error() string { return fmt.Sprintf("%d %s", e.Code, e.Reason) }

// Call is one call of a phone. Its methods may be called from any goroutine.
type Call struct {
	phone    *Phone
	audio    *audio
	outgoing bool
	options  Options

	// The rest is guarded by the phone's mu.
	state    State
	ending   Ending
	progress []int  // codes of provisional responses, in order
	from, to string // as in the INVITE that began it
	headers  *message

	callID, tag string // ours
	local       string // From of our requests
	remote      string // To of our requests, with their tag
	target      string // Request-URI of our requests
	routes      []string
	seq         int
	hop         netip.AddrPort // where requests go
	invite      *server        // the last INVITE received
	client      *client        // the INVITE sent
	cancelled   bool
	cancelSent  bool
	hasty       bool // takes a re-INVITE back at once
	started     bool // a provisional response came: CANCEL may go

	sdpID, sdpVersion int
	direction         string // ours
	wants             string // what Reinvite asked for: a hold of ours outlives the other end's offers
	theirs            session
	described         string // the last description received
	infos             []string
	rseq, updates     int
	reliable          *reliably
	pracks            map[string]bool // of reliable responses, by tag and RSeq
	notified          []string        // by NOTIFY, of REFERs
	keys              []cryptoLine    // ours, one for each suite
}

// ID is the Call-ID.
func (c *Call) ID() string { return c.callID }

// State is how far the call has come.
func (c *Call) State() State {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	return c.state
}

// WaitState waits until the call has come that far. If it ends before, the error
// is an *EndedError.
func (c *Call) WaitState(ctx context.Context, s State) error {
	if err := c.phone.await(ctx, func() bool { return c.state >= s }); err != nil {
		return fmt.Errorf("%s: waiting for a call to be %v: %w", c.phone.cfg.Name, s, err)
	}
	if s != Ended {
		return c.ended()
	}
	return nil
}

// WaitEnded waits for the end and tells how it came.
func (c *Call) WaitEnded(ctx context.Context) (Ending, error) {
	if err := c.WaitState(ctx, Ended); err != nil {
		return Ending{}, err
	}
	return c.Ending(), nil
}

// WaitHeld waits until the other end holds the call, or no longer does.
func (c *Call) WaitHeld(ctx context.Context, held bool) error {
	if err := c.phone.await(ctx, func() bool { return c.state == Ended || c.held() == held }); err != nil {
		return err
	}
	return c.ended()
}

// Ending says how the call ended; zero while it goes on.
func (c *Call) Ending() Ending {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	return c.ending
}

// Progress are the codes of the provisional responses, in order.
func (c *Call) Progress() []int {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	return append([]int(nil), c.progress...)
}

// From and To are those headers of the INVITE that began the call.
func (c *Call) From() string { return c.from }

// To is the To header of the INVITE that began the call.
func (c *Call) To() string { return c.to }

// Header is a header of the INVITE received, or of the last response to the one
// sent.
func (c *Call) Header(name string) string {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	if c.headers == nil {
		return ""
	}
	return c.headers.get(name)
}

// Codec is what is spoken, empty before the negotiation.
func (c *Call) Codec() string {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	if c.audio.codec == nil {
		return ""
	}
	return c.audio.codec.Name()
}

// Offered are the codecs the other end named last, in its order.
func (c *Call) Offered() []string {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	return append([]string(nil), c.theirs.codecs...)
}

// Described is the last description received.
func (c *Call) Described() string {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	return c.described
}

// Held reports whether the other end holds the call.
func (c *Call) Held() bool {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	return c.held()
}

func (c *Call) held() bool { return c.theirs.direction == SendOnly || c.theirs.direction == Inactive }

// Infos are the bodies of the INFO requests received.
func (c *Call) Infos() []string {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	return append([]string(nil), c.infos...)
}

func (c *Call) ended() error {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	if c.state == Ended {
		return &EndedError{c.ending}
	}
	return nil
}

// advance never goes back.
func (c *Call) advance(s State) {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	if s > c.state {
		c.state = s
		c.phone.wake()
	}
}

// end is the one way a call ends; the first reason stays.
func (c *Call) end(e Ending) {
	p := c.phone
	p.mu.Lock()
	if c.state == Ended {
		p.mu.Unlock()
		return
	}
	c.state, c.ending = Ended, e
	delete(p.calls, c.callID+c.tag)
	if s := c.invite; s != nil && s.last != nil && s.last.code < 300 && !s.done {
		s.done = true
		close(s.acked)
	}
	p.wake()
	p.mu.Unlock()
	c.audio.close()
}

// request builds a request within the dialog (RFC 3261 §12.2.1.1); mu is not held.
func (c *Call) request(method string) (*message, netip.AddrPort) {
	p := c.phone
	p.mu.Lock()
	defer p.mu.Unlock()
	c.seq++
	return c.build(method, c.seq), c.hop
}

// build writes a request of the dialog with a given number; mu is held.
func (c *Call) build(method string, seq int) *message {
	p := c.phone
	m := &message{method: method, uri: c.target}
	m.add("Via", p.via())
	m.add("Max-Forwards", "70")
	for _, r := range c.routes {
		m.add("Route", r)
	}
	m.add("From", c.local)
	m.add("To", c.remote)
	m.add("Call-ID", c.callID)
	m.add("CSeq", fmt.Sprintf("%d %s", seq, method))
	m.add("Contact", "<"+p.URI()+">")
	m.add("User-Agent", p.cfg.UserAgent)
	return m
}

// learn takes the dialog's far end from an INVITE or its response: target, route
// set and where to send; mu is held.
func (c *Call) learn(m *message, source netip.AddrPort) {
	if contact := m.get("Contact"); contact != "" {
		c.target = uriOf(contact)
	}
	var routes []string
	for _, line := range m.all("Record-Route") {
		for _, r := range strings.Split(line, ",") {
			routes = append(routes, strings.TrimSpace(r))
		}
	}
	if m.code > 0 { // RFC 3261 §12.1.2: the caller's order is reversed
		for i, j := 0, len(routes)-1; i < j; i, j = i+1, j-1 {
			routes[i], routes[j] = routes[j], routes[i]
		}
	}
	if c.state < Established && len(routes) > 0 {
		c.routes = routes
	}
	next := c.target
	if len(c.routes) > 0 {
		next = uriOf(c.routes[0])
	}
	c.hop = source
	if at, err := hostOf(next); err == nil {
		c.hop = at
	}
}
