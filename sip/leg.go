package sip

import (
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"b2bua/internal/loop"
)

// State is how far a leg has come.
type State int32

// The states of a leg, in the order they are passed; some are skipped.
const (
	StateCalling   State = iota // INVITE sent or received, no response above 100
	StateEarly                  // provisional response above 100
	StateAnswered               // our 2xx sent, its ACK not seen
	StateConfirmed              // both sides know
	StateEnded
)

func (s State) String() string {
	return [...]string{"calling", "early", "answered", "confirmed", "ended"}[s]
}

type role int

const (
	uas role = iota // the far end sent the first INVITE
	uac             // we did
)

// Leg is one INVITE dialog. Its verbs are called on the loop of the call that
// owns it, never block, and do nothing when the state does not allow them: the
// event that explains why is then on its way.
type Leg struct {
	ep     *Endpoint
	id     string
	callID string
	role   role
	log    *slog.Logger
	box    mailbox
	state  atomic.Int32

	silent atomic.Bool // the owner wants no more events; set on the owner's loop

	// What follows is only touched in the box.

	post   func(func()) bool // nil until there is an owner
	on     func(Event)
	untold []Event
	over   bool // Rejected or Ended was told, or the owner has left

	dialog *dialog // the one that counts; of a dialled leg, until the answer, what its INVITE began

	inbound  *serverTx   // uas: the INVITE that made the leg
	lapse    *loop.Timer // and when it expires
	ringing  *loop.Timer
	outbound *outgoing    // uac: the INVITE that makes it
	account  account      // of the far end's, for its challenges
	host     netip.Addr   // whom the account is for: the configured target
	reliable reliable     // uas: provisional responses that want a PRACK
	session  sessionTimer // the timer
	accepted *accepted    // our 2xx to an INVITE that has not been acknowledged
	offered  *offered     // the far end's offer that the owner has to answer
	offers   int          // there have been
	reoffer  *reoffer     // our re-INVITE, under way or waiting for its turn
	waiting  []byte       // the offer of ours after that
	goodbye  *Reason      // hang up as soon as that is allowed
	referral *referral    // the far end's REFER, until its last NOTIFY
	referred bool         // there has been a REFER before
	friend   netip.AddrPort
}

func newLeg(e *Endpoint, r role) *Leg {
	l := &Leg{ep: e, role: r, id: newToken()}
	l.log = e.log.With("leg", l.id)
	l.box.onPanic = func(v any, stack []byte) {
		e.panics.Add(1)
		l.log.Error("leg panicked", "err", v, "stack", string(stack))
		// One leg's fault ends that leg only.
		l.box.post(func() { l.collapse() })
	}
	e.live.add(l.id, l)
	return l
}

// ID is unique among the legs of a process and says nothing about the call.
func (l *Leg) ID() string { return l.id }

// CallID is the Call-ID of the leg's dialog.
func (l *Leg) CallID() string { return l.callID }

// State may be asked from any goroutine.
func (l *Leg) State() State { return State(l.state.Load()) }

// own gives the leg an owner and tells it what has happened so far.
func (l *Leg) own(post func(func()) bool, on func(Event)) {
	l.box.post(func() {
		l.post, l.on = post, on
		untold := l.untold
		l.untold = nil
		for _, ev := range untold {
			l.hand(ev)
		}
	})
}

// tell hands an event to the owner's loop.
func (l *Leg) tell(ev Event) {
	if l.over {
		return
	}
	switch ev.(type) {
	case Rejected, Ended:
		l.over = true
	}
	if l.post == nil {
		l.untold = append(l.untold, ev)
		return
	}
	l.hand(ev)
}

func (l *Leg) hand(ev Event) {
	on := l.on // the owner's still, should the leg let go of it before this runs
	l.post(func() {
		if !l.silent.Load() {
			on(ev)
		}
	})
}

// afterOwner runs f once the owner has seen what it was told so far, and has said
// what it makes of that: an offer that it has taken, and whose terms it goes by
// from then on, is not to be refused behind its back.
func (l *Leg) afterOwner(f func()) {
	if l.post == nil || !l.post(func() { l.box.post(f) }) {
		f()
	}
}

// verb runs what the owner asks for.
func (l *Leg) verb(f func()) { l.box.post(f) }

// leave is for the verbs after which the owner hears nothing more.
func (l *Leg) leave(f func()) {
	l.silent.Store(true)
	l.box.post(func() {
		l.over = true
		f()
	})
}

func (l *Leg) is(s State) bool { return l.State() == s }

// become moves on; an ended leg has no timers.
func (l *Leg) become(s State) {
	if l.is(StateEnded) {
		return
	}
	l.state.Store(int32(s))
	if s > StateEarly {
		l.ringing.Stop()
		l.lapse.Stop()
		l.reliable.stop()
	}
	if s != StateEnded {
		return
	}
	l.accepted.stop()
	l.accepted = nil
	l.reoffer.stop()
	l.reoffer = nil
	l.withdrawOffer()
	l.referralLeft()
	l.session.stop()
	l.outbound.stop()
}

// begin makes the leg known: the far end is at peer, its requests find the leg.
func (l *Leg) begin(peer flow) {
	l.dialog.peer = peer
	l.friend = peer.remote
	l.ep.friends.enter(l.friend)
	l.ep.cfg.Capture.Keep(l.callID)
	l.ep.dialogs.add(dialogKey(l.dialog.callID, l.dialog.localTag), l)
}

// forget frees what an ended leg still holds in the endpoint. It may be called
// more than once.
func (l *Leg) forget() {
	l.ep.live.remove(l.id)
	l.disown()
	if l.reliable.outstanding(l) {
		return
	}
	if l.friend.IsValid() {
		l.ep.friends.leave(l.friend)
		l.friend = netip.AddrPort{}
		l.ep.dialogs.remove(dialogKey(l.dialog.callID, l.dialog.localTag))
	}
}

// end is the far end's doing, or silence's.
func (l *Leg) end(ev Event) {
	l.become(StateEnded)
	l.tell(ev)
}

// after is a timer of the leg.
func (l *Leg) after(d time.Duration, f func()) *loop.Timer { return loop.AfterFunc(l.box.post, d, f) }

// disown lets go of the owner once it has been told of the end: transactions
// remember the leg for half a minute more, and with it would stay all that the
// owner holds.
func (l *Leg) disown() {
	if l.post == nil || !l.is(StateEnded) {
		return
	}
	l.over = true
	l.post = func(func()) bool { return false }
	l.on = nil
	if l.outbound != nil {
		l.outbound.dial = Dial{}
	}
}
