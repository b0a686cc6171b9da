package media

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"b2bua/media/port"
)

// A shard with much to do does not wake up for every packet: it lets a moment go by
// and takes what has come meanwhile, as network cards do. That spares the waking,
// which costs nearly as much as a packet, and leaves the processor to others.
const (
	// busyRate is from how many packets in a window on.
	busyRate   = 20
	busyWindow = 10 * time.Millisecond
	// moment is how long is slept; the timers of Go make it up to a millisecond
	// longer. A tick that is due sooner is not slept over.
	moment = 500 * time.Microsecond
	// rounds is how often the sockets are gone through before the ticks that are
	// due have their turn, one packet from each that has any.
	rounds = 64
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

	mu      sync.Mutex
	running bool
	poll    *port.Poll    // nil: readers hear the sockets, or there are none
	ring    chan struct{} // wakes the loop when there is no poll
	phases  [phases]phase
	broken  []*Session // legs taken off, whose owners have not closed them yet

	after   []news // to be told when the lock is released
	telling bool   // by somebody, at this moment

	refusals refusals // of all legs so far

	busy    bool // in the last window
	packets int  // of this window
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

// news is something that the owner of a leg is to be told.
type news struct {
	session *Session
	what    string
	tell    func()
}

// run is the loop.
func (sh *shard) run(ctx context.Context) error {
	if err := sh.start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, sh.wake)
	defer stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		ready := sh.wait(timer)
		sh.turn(ready, sh.engine.now())
	}
	return nil
}

// start readies what the loop waits with.
func (sh *shard) start() error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
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
	defer sh.mu.Unlock()
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

// wait waits until there is something to do, and says how many sockets have
// something.
func (sh *shard) wait(timer *time.Timer) int {
	sh.mu.Lock()
	until, poll, busy := sh.due(), sh.poll, sh.busy
	sh.mu.Unlock()
	if poll != nil {
		if left := time.Until(until); busy && left > 0 {
			time.Sleep(min(moment, left))
		}
		return poll.Wait(until)
	}
	if until.IsZero() {
		<-sh.ring
		return 0
	}
	timer.Reset(time.Until(until))
	select {
	case <-sh.ring:
	case <-timer.C:
	}
	return 0
}

// turn does all that is due: packets first, so that they are in the frames of
// this tick.
func (sh *shard) turn(ready int, now time.Duration) {
	sh.mu.Lock()
	defer sh.unlock()
	for range rounds {
		for i := range ready {
			if fd := sh.poll.Ready(i); fd != nil {
				sh.read(fd, now)
			}
		}
		if !sh.busy || ready == 0 {
			break
		}
		ready = sh.poll.Check()
	}
	if now-sh.window >= busyWindow {
		sh.busy = sh.packets >= busyRate
		sh.window, sh.packets = now, 0
	}
	sh.advance(now)
}

// read takes one packet off a socket. If more are waiting the poll says so again,
// after all the others: a port that is flooded keeps nobody waiting, and no call
// is spent on finding a socket empty.
func (sh *shard) read(fd *port.FD, now time.Duration) {
	if n, from, ok := fd.Recv(sh.inbox[:]); ok {
		sh.packets++
		fd.Owner.(*Session).take(fd.Tag, sh.inbox[:n], from, now)
	}
}

// take takes a packet of one of the leg's sockets; the lock is held.
func (s *Session) take(socket int, b []byte, from netip.AddrPort, now time.Duration) {
	if socket == rtcpPort {
		s.receiveRTCP(b, from, now)
		return
	}
	s.receive(b, from, now)
}

// arrived is where a reader hands a packet over.
func (s *Session) arrived(socket int, b []byte, from netip.AddrPort) {
	sh := s.lock()
	defer sh.unlock()
	s.take(socket, b, from, sh.engine.now())
}

// unlock releases the lock and tells the owners what there is to tell, in order:
// whoever finds somebody telling leaves it to him.
func (sh *shard) unlock() {
	if sh.telling {
		sh.mu.Unlock()
		return
	}
	sh.telling = true
	for len(sh.after) > 0 {
		after := sh.after
		sh.after = nil
		sh.mu.Unlock()
		for _, n := range after {
			n.session.tell(n)
		}
		sh.mu.Lock()
	}
	sh.telling = false
	sh.mu.Unlock()
}

// later has the owner of a leg told something when the lock is released.
func (sh *shard) later(s *Session, what string, tell func()) {
	sh.after = append(sh.after, news{s, what, tell})
}

// wake ends the loop's wait.
func (sh *shard) wake() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
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

// add takes a leg on, in the emptiest phase.
func (sh *shard) add(s *Session) error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if err := sh.ready(); err != nil {
		return err
	}
	if err := sh.hear(s); err != nil {
		sh.rest()
		return err
	}
	s.shard.Store(sh)
	s.phase = sh.emptiest()
	sh.attach(s)
	return nil
}

// attach takes a leg on; the lock is held.
func (sh *shard) attach(s *Session) {
	sh.phases[s.phase].join(s, s.phase, sh.engine.now())
	sh.size.Add(1)
	sh.nudge()
}

// detach lets a leg go; the lock is held.
func (sh *shard) detach(s *Session) {
	if sh.phases[s.phase].leave(s) {
		sh.size.Add(-1)
	}
	if i := slices.Index(sh.broken, s); i >= 0 {
		sh.broken = slices.Delete(sh.broken, i, i+1)
	}
}

// hear puts a leg's sockets on the poll; the lock is held.
func (sh *shard) hear(s *Session) error {
	for _, fd := range s.polled() {
		if err := sh.poll.Add(fd); err != nil {
			sh.deafen(s)
			return fmt.Errorf("media: %w", err)
		}
	}
	return nil
}

// deafen takes them off again.
func (sh *shard) deafen(s *Session) {
	for _, fd := range s.polled() {
		sh.poll.Remove(fd)
	}
}

// remove lets a leg go for good: it says goodbye and gives its ports back.
func (sh *shard) remove(s *Session) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.detach(s)
	s.silence()
	s.sayBye()
	sh.deafen(s)
	s.hangUp()
	sh.rest()
}

// clocked runs f while the leg's shard stands still. It may change the leg.
func (s *Session) clocked(f func()) {
	sh := s.lock()
	defer sh.mu.Unlock()
	f()
	s.wake()
}

// lock takes the lock of the shard that the leg is on.
func (s *Session) lock() *shard {
	for {
		sh := s.shard.Load()
		sh.mu.Lock()
		if s.shard.Load() == sh {
			return sh
		}
		sh.mu.Unlock()
	}
}
