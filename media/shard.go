package media

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"b2bua/media/port"
)

// shard is one loop and the legs it owns: it takes their packets off the
// sockets, relays them or fills jitter buffers, ticks and sends. Legs that hear
// each other are on the same one.
//
// Its lock is taken once for each time the loop wakes up, not for each packet or
// leg. Whoever holds it owns all there is of the legs: the loop while it works,
// a reader (where sockets cannot be polled) while it hands a packet over, and
// those who change a leg while they do (see Session.clocked).
type shard struct {
	engine *Engine
	size   atomic.Int64 // legs
	late   atomic.Uint64
	delays delays

	mu      sync.Mutex
	running bool
	poll    *port.Poll    // nil: readers hear the sockets, or there are none
	ring    chan struct{} // wakes the loop when there is no poll
	phases  [phases]phase
	broken  []*Session // legs taken off, whose owners have not closed them yet

	after []*Session // who have something to tell when the lock is released

	refusals refusals // of all legs so far

	busy    bool // in the last window
	packets int  // of this window, that were let in
	window  time.Duration

	inbox  [maxPacket]byte              // the packet that came
	clear  [maxPacket]byte              // the same, decrypted
	sealed [maxSealed]byte              // the one that goes, encrypted
	packet [headerSize + maxPacket]byte // the one that the clock is at work on
}

// The two sockets of a leg.
const (
	rtpPort = iota
	rtcpPort
)

// start readies what the loop waits with.
func (sh *shard) start() error {
	sh.mu.Lock()
	defer sh.release()
	sh.running = true
	if sh.ring == nil {
		sh.ring = make(chan struct{}, 1)
	}
	return sh.ready()
}

// ready makes the poll when there is none; the lock is held.
func (sh *shard) ready() error {
	if sh.poll != nil || !sh.engine.cfg.polled() {
		return nil
	}
	p, err := port.NewPoll()
	if err != nil {
		return fmt.Errorf("media: %w", err)
	}
	sh.poll = p
	return nil
}

// stop ends what start began, when the loop has ended.
func (sh *shard) stop() {
	sh.mu.Lock()
	defer sh.release()
	sh.running = false
	sh.rest()
}

// rest gives the poll back when nobody needs it; the lock is held.
func (sh *shard) rest() {
	if sh.poll != nil && !sh.running && sh.poll.Watched() == 0 {
		sh.poll.Close()
		sh.poll = nil
	}
}

// wake ends the loop's wait.
func (sh *shard) wake() {
	sh.mu.Lock()
	defer sh.release()
	sh.nudge()
}

// nudge is wake with the lock held.
func (sh *shard) nudge() {
	if sh.poll != nil {
		sh.poll.Wake()
		return
	}
	select {
	case sh.ring <- struct{}{}:
	default: // it rings already, or there is no loop
	}
}
