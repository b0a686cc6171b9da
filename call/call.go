package call

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/internal/loop"
	"b2bua/ivr"
	"b2bua/media"
	"b2bua/sip"
)

// Call is one telephone call: a caller, what the flow does with it, and the
// parties it reaches. All fields but those set by New belong to the loop.
type Call struct {
	id    string
	began time.Time
	sys   *System
	plan  *flows.Plan // as it was when the call came in
	flow  *flows.CallFlow
	loop  *loop.Loop
	log   *slog.Logger
	keys  *ivr.Keypad
	desk  *ivr.Desk

	record   events.CallRecord
	steps    []flows.Step
	sequence int

	caller    *leg
	legs      []*leg // all legs that are not over yet, the caller's first
	peer      *leg   // the leg the caller talks to
	leftBy    string // who ended the conversation, if not the caller
	leftWhy   sip.Reason
	hunt      *hunt        // who is being dialled or talked to
	waits     *waiting     // in a queue
	calls     *hunt        // for the caller, of a call that the switch places
	offer     []byte       // the caller's session description; empty: ours goes first
	insists   bool         // on provisional responses that are acknowledged (RFC 3262)
	settled   bool         // an offer of ours has the caller's answer
	hops      int          // Max-Forwards left for far legs (RFC 7092 section 3.1.1)
	described []byte       // ours for the caller, once made
	speaks    []string     // which of our codecs the caller offered, best first
	who       identity     // who began the call
	diverted  int          // how often the call had been sent on before it came here
	redirects int          // how often a 3xx was followed for it
	missed    flows.Result // what came of the party dialled last; "" before, and when it was reached
	env       flows.Env
	work      sync.WaitGroup     // goroutines that wait for something on behalf of the loop
	tone      *media.Playback    // the ringback tone an answered caller hears
	secret    bool               // a sensitive menu collects: digits are told to nobody
	onHold    bool               // the API has put the call on hold
	muted     bool               // the API keeps what the caller says from the other party
	serves    string             // what the flow lets the caller hear or answer now; "" nothing
	gather    *gathering         // gather-dtmf collects
	lease     *loop.Timer        // the longest a call may last
	playback  *playing           // what the API plays
	tapes     []*tape            // the recordings that run
	opening   int                // recordings being opened
	opened    chan struct{}      // closed when one of them is, and replaced
	postponed []*flows.Recording // those that cannot be written now
	recorded  bool               // the flow's recording has been begun
	noticed   chan struct{}      // closed when callers know that they are recorded; nil: nobody waits

	act      *act                    // what the flow's goroutine does now
	next     *act                    // what it does after that: a takeover
	interim  context.CancelCauseFunc // ends the present act
	control  control                 // API control, the destination "application"
	transfer *transfer               // who waits for the outcome of a transfer

	ending *ending // how the call ends; nil while it lives
}

// Inbound is what a call needs to know of the INVITE that began it.
type Inbound struct {
	Invitation *sip.Invitation
	Plan       *flows.Plan
	Flow       *flows.CallFlow // nil: the number has no flow, the API decides
	Direct     *flows.Rule     // a destination of its own instead of a flow, e.g. from device to device
	From, To   string          // E.164 where known; From is "anonymous" when the number is withheld
	Number     string          // the caller's number, also when it is withheld; empty when nobody knows it
	Display    string          // the caller's name
	Code       *Code           // of a phone, instead of both
	Outward    *flows.Device   // on whose permission Direct leads outside; nil when it does not
	Diversions []events.Diversion
	Diverted   int // how often the call was sent on before, at least len(Diversions)
	TrunkID    string
	DeviceID   string
}

// New makes the call for an INVITE and starts nothing; Run runs it.
func (s *System) New(in Inbound) *Call {
	now := events.Moment(s.Now())
	c := &Call{
		id:     events.NewID("call_"),
		began:  now,
		sys:    s,
		plan:   in.Plan,
		flow:   in.Flow,
		loop:   loop.New(),
		opened: make(chan struct{}),
		keys:   ivr.NewKeypad(),
		offer:  in.Invitation.Offer, insists: in.Invitation.Reliable,
		hops: in.Invitation.MaxForwards,
	}
	c.log = s.Log.With("call", c.id)
	c.record = events.CallRecord{
		CallID: c.id, CallType: "inbound", Status: events.StatusInitiated,
		From: in.From, To: in.To, InitiatedAt: now,
		Trunk: in.TrunkID, Device: in.DeviceID, SIPCallID: in.Invitation.SIPCallID,
		Verstat: in.Invitation.Verstat, Attestation: in.Invitation.Attestation, Diversions: in.Diversions,
	}
	c.who = identity{number: cmp.Or(in.Number, in.From), display: in.Display, withheld: in.Invitation.Anonymous}
	c.diverted = in.Diverted
	if in.Flow != nil {
		c.record.CallFlowID, c.record.FlowRevision = in.Flow.ID, in.Flow.Revision
		c.tag(in.Flow.Tags)
	}
	c.loop.OnPanic = c.panicked
	c.next = c.firstAct(in)
	return c
}

// Run runs the call from its INVITE to the end and returns when nothing of it
// is left: no leg, no port, no goroutine. When ctx ends the call is ended too.
func (c *Call) Run(ctx context.Context, in *sip.Invitation) {
	c.caller = c.newLeg("caller")
	c.caller.on = c.callerEvent
	c.caller.account = account{device: c.record.Device, trunk: c.record.Trunk}
	c.caller.who = c.who
	c.caller.via = cmp.Or(c.record.Device, c.record.Trunk)
	c.legs = []*leg{c.caller}
	c.loop.Post(func() { c.begin(in) }) // before anybody else can ask for anything
	c.caller.sig = in.Take(c.caller.post, c.caller.event)
	c.sys.Calls.enter(c.caller)
	c.sys.Calls.add(c)
	c.live(ctx)
}

// live runs the call's loop and its flow until nothing of it is left.
func (c *Call) live(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() {
		c.loop.Post(func() { c.end(shutdown) })
	})
	defer stop()
	// The loop outlives ctx: a call ends by saying goodbye, not by being cut. It has a
	// goroutine with nothing else on it, which is idle for nearly all of the call: so
	// its stack is as small as there are.
	go c.loop.Run(context.WithoutCancel(ctx))
	c.story()
	<-c.loop.Done()
}

// story is the flow's goroutine: it does one act after the other and winds the
// call up.
func (c *Call) story() {
	defer c.loop.Stop()
	defer c.sys.Calls.remove(c)
	defer c.guard()
	for {
		c.settle()
		a, ctx := c.takeAct()
		if a == nil {
			break
		}
		c.actOver(a, c.perform(ctx, a))
	}
	c.wrapUp()
}

// guard keeps a fault on one of the call's goroutines from ending more than the
// call. It is deferred.
func (c *Call) guard() {
	if v := recover(); v != nil {
		stack := debug.Stack()
		c.loop.Post(func() { c.panicked(v, stack) })
	}
}

// behind runs f on a goroutine that wrapUp waits for.
func (c *Call) behind(f func()) {
	c.work.Go(func() {
		defer c.guard()
		f()
	})
}

// perform runs an act. A fault in it ends this call, and only this one.
func (c *Call) perform(ctx context.Context, a *act) (e flows.Ending) {
	defer c.guard()
	return a.run(ctx)
}

// begin opens the caller's sound and tells that there is a call.
func (c *Call) begin(in *sip.Invitation) {
	c.log.Info("call begins", "from", c.record.From, "did", c.record.To,
		"trunk", c.record.Trunk, "device", c.record.Device, "flow", c.record.CallFlowID)
	c.tell(c.initiated(), c.began)
	digits := c.digitsOf(c.caller)
	sound, err := c.sys.Media.Open(media.Options{
		Digits: digits, OnDigit: c.caller.digit, SendDigit: c.caller.bySignalling(digits), OnLost: c.caller.lost, OnWorn: c.caller.worn,
		SRTP: c.protection(c.caller.account), Log: c.log.With("leg", "caller"),
	})
	if err != nil {
		c.log.Error("open media for the caller", "err", err)
		c.end(ending{reason: "media_unavailable", source: bySystem, code: 503, text: "Service Unavailable"})
		return
	}
	c.caller.sound = sound
	c.desk = ivr.New(sound, c.keys, c.prompts(), c.log)
	if err := c.acceptable(in); err != nil {
		c.end(unacceptable(err))
	}
}

// initiated says that there is a call, and where it comes from.
func (c *Call) initiated() *events.Initiated {
	f := &events.Initiated{
		CallType: c.record.CallType, From: c.record.From, To: c.record.To,
		Verstat: c.record.Verstat, Attestation: c.record.Attestation, InitiatedAt: c.began,
	}
	if n := len(c.record.Diversions); n > 0 {
		f.DivertedFrom = c.record.Diversions[n-1].Number
	}
	return f
}

// Record is what is known of the call at this moment.
func (c *Call) Record() events.CallRecord {
	var r events.CallRecord
	err := c.loop.Call(context.Background(), func() { r = c.record.Clone() })
	if errors.Is(err, loop.ErrStopped) {
		<-c.loop.Done()
		return c.record.Clone()
	}
	return r
}

// Trace is what has been decided for the call so far, in order.
func (c *Call) Trace() []flows.Step {
	var steps []flows.Step
	if c.loop.Call(context.Background(), func() { steps = slices.Clone(c.steps) }) != nil {
		<-c.loop.Done()
		steps = c.steps
	}
	return flows.Told(steps)
}

// panicked ends this call, and only this one, when its loop meets a fault.
func (c *Call) panicked(v any, stack []byte) {
	c.log.Error("panic in call", "err", v, "stack", string(stack))
	c.end(ending{reason: "internal_error", source: bySystem, code: 500, text: "Server Internal Error", failed: true})
}
