package simulate

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"time"

	"b2bua/events"
	"b2bua/flows"
)

// How long things take that a simulation can only guess.
const (
	lettersASecond = 15 // of speech
	ringing        = 4 * time.Second
	refusing       = time.Second
	talking        = time.Minute
	message        = 10 * time.Second
	thinking       = 300 * time.Millisecond // of a webhook
	apology        = 6 * time.Second
)

// caller is a flows.Caller without a telephone.
type caller struct {
	plan   *flows.Plan
	flow   *flows.CallFlow
	call   flows.Call
	given  flows.Given
	ask    Ask
	cancel context.CancelFunc

	now    time.Time
	script []string // what is still to be pressed, each time the caller is asked
	keys   string   // typed ahead and not read yet
	tried  map[string]int

	rang       bool
	answeredAt time.Time
	by         string
	gone       bool // the caller has hung up
	over       bool // the call has ended: a real one tells nothing more
	talked     bool
	refused    string
	last       flows.Routing
	attempts   []events.Attempt

	steps    []flows.Step
	events   []events.Event
	taken    []Taken
	sequence int
	tags     map[string]string
}

var _ flows.Caller = (*caller)(nil)

func newCaller(plan *flows.Plan, f *flows.CallFlow, g flows.Given, ask Ask, cancel context.CancelFunc) *caller {
	c := &caller{plan: plan, flow: f, given: g, ask: ask, cancel: cancel, now: g.At, script: g.Entries(), tried: map[string]int{}}
	c.call = flows.Call{ID: CallID, From: g.From, To: g.To, Anonymous: g.Anonymous || g.From == "anonymous",
		Verstat: g.Verstat, Attestation: g.Attestation, At: g.At}
	if f != nil {
		c.tags = maps.Clone(f.Tags)
	}
	return c
}

func (c *caller) clock() time.Time { return c.now }

func (c *caller) answered() bool { return !c.answeredAt.IsZero() }

func (c *caller) pass(d time.Duration) { c.now = c.now.Add(d) }

// leave is the caller hanging up.
func (c *caller) leave() flows.Outcome {
	c.gone, c.over = true, true
	c.cancel()
	return flows.Outcome{Result: flows.Gone}
}

// outcome is what comes of a destination this time.
func (c *caller) outcome(to string) flows.Outcome {
	list, ok := c.given.Outcomes[to]
	if !ok {
		list = c.given.Outcomes["*"]
	}
	text := ""
	if n := c.tried[to]; len(list) > 0 {
		text = list[min(n, len(list)-1)]
	}
	c.tried[to]++
	o, _ := flows.ReadResult(text) // Validate has read it before
	return o
}

// speak lets the time of a text pass.
func (c *caller) speak(texts ...string) {
	for _, text := range texts {
		c.pass(time.Duration(len(text)) * time.Second / lettersASecond)
	}
}

// Dial rings and, when answered, lets them talk.
func (c *caller) Dial(_ context.Context, r flows.DialRequest) flows.Outcome {
	o := c.outcome(r.Destination)
	a := events.Attempt{Destination: r.Destination, DestinationType: string(r.Type), Via: c.via(r), StartedAt: c.now}
	c.ring()
	switch {
	case o.Result == flows.Gone:
		c.pass(ringing)
		return c.leave()
	case o.Result == flows.Connected:
		c.pass(ringing)
		o = flows.Outcome{Result: flows.Connected}
		a.SIPCode, a.SIPReason = 200, "OK"
	case o.Result == flows.NoAnswer && o.SIPCode == 0: // else the far end says it, at once
		c.pass(r.Timeout)
	default:
		c.pass(refusing)
	}
	a.Result = string(o.Result)
	if o.SIPCode != 0 {
		a.SIPCode, a.SIPReason = o.SIPCode, o.SIPReason
	}
	c.dialled(a)
	if o.Result == flows.Connected {
		c.answer(r.Destination)
		c.tell(&events.Bridged{BridgedTo: r.Destination, BridgedAt: c.now})
		c.pass(talking)
		c.talked = true
	}
	return o
}

// via is the first way that a real call would try.
func (c *caller) via(r flows.DialRequest) string {
	if r.Device != nil {
		return r.Device.ID
	}
	for _, t := range c.plan.Trunks() {
		if t.Outbound != nil && r.Type == flows.ToNumber {
			return t.ID
		}
	}
	return r.Destination
}

func (c *caller) dialled(a events.Attempt) {
	now := c.now
	a.EndedAt = &now
	c.attempts = append(c.attempts, a)
	text := fmt.Sprintf("dialled %s by %s: %s after %s", a.Destination, a.Via, a.Result, now.Sub(a.StartedAt))
	if a.SIPCode != 0 {
		text += fmt.Sprintf(" (%d %s)", a.SIPCode, a.SIPReason)
	}
	c.Note(flows.Step{At: now, Kind: "dial", Text: text, Detail: map[string]any{
		"destination": a.Destination, "via": a.Via, "result": a.Result, "sip_code": a.SIPCode, "sip_reason": a.SIPReason,
	}})
}

// Voicemail takes a message.
func (c *caller) Voicemail(_ context.Context, b *flows.VoicemailBox) flows.Outcome {
	o := c.outcome(b.ID)
	c.answer(b.ID)
	c.keys = "" // the way here is no part of the message
	if o, wants := c.wants(b); wants {
		return o
	}
	c.speak(b.Greeting, b.Prompt)
	f := &events.Voicemail{Event: events.VoicemailAbandoned, VoicemailBoxID: b.ID, From: c.call.From, Reason: "hangup"}
	if o.Result == flows.Gone {
		f.At = c.now
		c.tell(f)
		return c.leave()
	}
	c.pass(message)
	f.Event, f.Reason, f.Duration, f.At = events.VoicemailReceived, "", message.Seconds(), c.now
	c.tell(f)
	if o.Result == flows.Connected {
		return c.leave() // that is how most messages end
	}
	return o
}

// wants is a caller whose next entry is a key that leads out of the greeting.
func (c *caller) wants(b *flows.VoicemailBox) (o flows.Outcome, wants bool) {
	if len(c.script) == 0 {
		return o, false
	}
	switch {
	case c.script[0] == "0" && b.Operator != nil:
		o.Result = flows.WantsOperator
	case c.script[0] == "*" && b.PIN != "":
		o.Result = flows.WantsAccess
	default:
		return o, false
	}
	c.script = c.script[1:]
	c.pass(keyTime)
	c.tell(&events.DTMF{Digit: map[flows.Result]string{flows.WantsOperator: "0", flows.WantsAccess: "*"}[o.Result], DurationMS: 100, Method: "rfc4733"})
	return o, true
}

// Mailbox lets an owner listen; which messages there are nobody knows.
func (c *caller) Mailbox(_ context.Context, b *flows.VoicemailBox) flows.Outcome {
	by := flows.AnyBox
	if b != nil {
		by = b.ID
	}
	o := c.outcome(by)
	c.answer("voicemail_access")
	c.keys, c.script = "", nil // a PIN, and what is asked for then
	c.pass(talking)
	if o.Result == flows.Gone || o.Result == flows.Connected {
		return c.leave() // that is how it ends
	}
	return o
}

// Say speaks a text.
func (c *caller) Say(_ context.Context, text, _ string) flows.Outcome {
	c.answer("say")
	c.speak(text)
	return flows.Outcome{Result: flows.Connected}
}

// AskWebhook asks the webhook, or takes the reply from the table.
func (c *caller) AskWebhook(ctx context.Context, url string) (flows.Decision, flows.Outcome) {
	c.ring()
	if c.given.Webhook == flows.WebhookLive && c.ask != nil {
		d, step, err := c.ask(ctx, url, c.call)
		step.At = c.now
		c.Note(step)
		if err != nil {
			return d, flows.Outcome{Result: flows.WebhookFailed, Detail: err.Error()}
		}
		return d, flows.Outcome{Result: flows.Connected}
	}
	c.pass(thinking)
	o := c.outcome(url)
	d, known := c.given.Webhooks[url]
	switch {
	case o.Result == flows.Gone:
		return d, c.leave()
	case o.Result != flows.Connected:
		return d, flows.Outcome{Result: flows.WebhookFailed, Detail: "as the simulation says"}
	case !known:
		return d, flows.Outcome{Result: flows.WebhookFailed, Detail: "the simulation has no reply of this webhook"}
	}
	return d, o
}

// Application rings; nobody takes the call over unless an outcome says so.
func (c *caller) Application(_ context.Context, timeout time.Duration) flows.Outcome {
	c.ring()
	if _, said := c.given.Outcomes["application"]; said {
		if o := c.outcome("application"); o.Result == flows.Gone {
			return c.leave()
		} else if o.Result == flows.Connected {
			return flows.Outcome{Result: flows.Gone, Detail: "the API took the call over"}
		}
	}
	c.pass(cmp.Or(timeout, flows.DefaultApplication))
	return flows.Outcome{Result: flows.NoAnswer}
}

// Apologise speaks to a caller who was answered.
func (c *caller) Apologise(context.Context, flows.Outcome) {
	if c.answered() {
		c.pass(apology)
	}
}

// Hangup ends the call.
func (c *caller) Hangup(context.Context, string) { c.over = true }

// Reject refuses it.
func (c *caller) Reject(_ context.Context, cause string) { c.refused, c.over = cause, true }
