package queue

import (
	"time"

	"b2bua/flows"
)

// What a caller in line does. A caller who talks to a member is in line no more.
const (
	entryWaiting  = "waiting"
	entryRinging  = "ringing"  // members are being rung for the caller
	entryLeaving  = "leaving"  // has been told to, and not done so yet
	entryCallback = "callback" // has hung up and will be called
	entryCalling  = "calling"  // is being called back
)

// How callers leave a queue.
const (
	Connected   = "connected"
	Timeout     = "timeout"
	Full        = "full"
	Empty       = "empty"
	ExitKey     = "exit_key"
	Abandoned   = "abandoned"
	Transferred = "transferred"
	CalledBack  = "callback" // hung up to be called back
	Failed      = "error"
)

// Caller is a call that waits in a queue. Its methods return at once.
type Caller interface {
	// Ring asks to ring members, all of them at once. Each is told of by the
	// ticket: Refused, or Accepted for the one who talks to the caller.
	Ring(o Offer)
	// Out asks to leave the line. The call leaves by the ticket's Leave, unless
	// the caller talks to somebody by then.
	Out(result string)
}

// Offer is a caller for some members.
type Offer struct {
	Members []flows.QueueMember
	Timeout time.Duration
	Waited  time.Duration // by the caller so far
}

// entry is a caller in line.
type entry struct {
	id       string
	caller   Caller // nil while nobody is there to be rung for
	number   string // "" when withheld
	from     string // as shown
	dialled  string // the number of ours
	callID   string
	priority int
	group    bool

	joined   time.Time // decides the place
	here     time.Time // in this call
	deadline time.Time // of waiting
	returned bool

	state   string
	offered []*member // who is rung for it
	tried   map[*member]bool
	missed  map[*member]bool // who failed at once, which says nothing of other callers
	again   time.Time        // when all members may be rung once more
	offers  int
	result  string // it was told to leave with

	reserved *member   // of a caller who is being called back
	tries    int       // of calling back
	notYet   time.Time // no call back before that
}

// rank is the caller's place: a step of priority is worth a minute of waiting, so
// nobody is overtaken for ever.
func (e *entry) rank(queue int) time.Time {
	return e.joined.Add(-time.Duration(e.priority+queue) * time.Minute)
}

// live reports whether a call of this entry waits.
func (e *entry) live() bool { return e.caller != nil }

// place is kept for a caller who has hung up.
type place struct {
	Joined time.Time `json:"joined"`
	Until  time.Time `json:"until"`
}
