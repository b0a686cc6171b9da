package media

import (
	"context"
	"net/netip"
	"time"

	"b2bua/media/port"
)

// A shard with much to do does not wake up for every packet: it lets a moment go by
// and takes what has come meanwhile, as network cards do. That spares the waking,
// which costs nearly as much as a packet, and leaves the processor to others. A
// packet waits for half a moment in the mean.
const (
	// busyRate is from how many packets in a window on.
	busyRate   = 20
	busyWindow = 10 * time.Millisecond
	// moment is how long is slept. A tick that is due sooner is not slept over.
	moment = 500 * time.Microsecond
	// turnTime is how long the sockets are gone through, one packet from each that
	// has any, before those who wait for the lock have their turn. A tick that is
	// due ends it sooner.
	turnTime = 1500 * time.Microsecond
	// many sockets are worth being asked again in the same turn: the call costs a
	// fraction of what their packets do. What few of them have waits for the next.
	many = 8
)

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
		sh.turn(ready, sh.engine.now)
	}
	return nil
}

// wait waits until there is something to do, and says how many sockets have
// something.
func (sh *shard) wait(timer *time.Timer) int {
	sh.mu.Lock()
	until, poll, busy := sh.due(), sh.poll, sh.busy
	sh.release()
	if poll != nil {
		if left := time.Until(until); busy && left > 0 {
			poll.Pause(min(moment, left))
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
func (sh *shard) turn(ready int, clock func() time.Duration) {
	sh.mu.Lock()
	defer sh.unlock()
	now := clock()
	leave := now + turnTime
	if next, any := sh.next(); any {
		leave = min(leave, next)
	}
	for {
		for i := range ready {
			if fd := sh.poll.Ready(i); fd != nil {
				sh.read(fd, now)
			}
		}
		if ready == 0 {
			break
		}
		if now = clock(); !sh.busy || ready < many || now >= leave {
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
// is spent on finding a socket empty. A flood of strangers makes no shard busy.
func (sh *shard) read(fd *port.FD, now time.Duration) {
	n, from, ok := fd.Recv(sh.inbox[:])
	if !ok {
		return
	}
	l := fd.Owner.(*lane)
	before := l.got.received
	l.take(fd.Tag, sh.inbox[:n], from, now)
	if l.got.received != before {
		sh.packets++
	}
}

// take takes a packet of one of the leg's sockets; the lock is held.
func (l *lane) take(socket int, b []byte, from netip.AddrPort, now time.Duration) {
	switch {
	case socket == rtcpPort:
		l.session.receiveRTCP(b, from, now)
	case !l.through(b, from, now):
		l.session.receive(b, from, now)
	}
}

// arrived is where a reader hands a packet over.
func (s *Session) arrived(socket int, b []byte, from netip.AddrPort) {
	sh := s.lock()
	defer sh.unlock()
	s.take(socket, b, from, sh.engine.now())
}
