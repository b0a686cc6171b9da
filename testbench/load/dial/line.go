package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Events are what a Line tells; each comes on the goroutine that reads the socket,
// or that repeats, and must not wait.
type Events struct {
	// Answered: the call of a number was answered, with this sound.
	Answered func(call int, sound Sound)
	// Ended: it was refused or given up, or the switch hung up.
	Ended func(call int, why string)
	// Invited asks what the trunk answers to a call that came in by it: whose call
	// it is, and the number called. An error refuses it.
	Invited func(call int, number string, offer Sound) (Sound, error)
	// Key is a key that came by SIP INFO, to the caller or to the trunk.
	Key func(call int, trunk bool, key byte)
	// Left: the switch has ended the leg of the trunk.
	Left func(call int)
}

// Line is a socket from which calls are made, and where those are taken that the
// switch sends on.
type Line struct {
	conn   *net.UDPConn
	target netip.AddrPort
	run    string // in names, so that runs differ
	tell   Events

	mu   sync.Mutex
	legs map[string]*leg // by Call-ID
}

// leg is a dialog with the switch, of a caller or of the trunk.
type leg struct {
	call        int
	id          string // Call-ID
	trunk       bool
	offer       string // our description
	local, peer string // a caller's From and To
	remote      string // the URI to send a caller's requests to
	sequence    int
	answered    bool
	ended       bool
	final       []byte // the trunk's 200 to the INVITE, or the caller's ACK
	lastKey     string // CSeq of the last INFO

	repeat []byte // what is sent again until it is answered
	next   time.Time
	wait   time.Duration
	tries  int
}

const (
	t1       = 500 * time.Millisecond // RFC 3261 §17.1.1.1
	t2       = 4 * time.Second
	maxTries = 8
	room     = 4 << 20 // of the socket
)

// Open opens the socket of a line to a switch.
func Open(bind netip.AddrPort, target netip.AddrPort, tell Events) (*Line, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(bind))
	if err != nil {
		return nil, fmt.Errorf("open the SIP socket: %w", err)
	}
	_ = conn.SetReadBuffer(room)
	return &Line{conn: conn, target: target, tell: tell, run: fmt.Sprintf("%x", time.Now().UnixNano()), legs: map[string]*leg{}}, nil
}

// Addr is where the switch finds the trunk.
func (l *Line) Addr() netip.AddrPort { return l.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Run reads and repeats until ctx ends, and closes the socket.
func (l *Line) Run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(l.read)
	both.Go(func() {
		tick := time.NewTicker(t1 / 5)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				_ = l.conn.Close()
				return
			case now := <-tick.C:
				l.repeatDue(now)
			}
		}
	})
	both.Wait()
}

func (l *Line) read() {
	buf := make([]byte, 65536)
	for {
		n, _, err := l.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // a port of the switch that is closed
		}
		if m, ok := parse(buf[:n]); ok {
			l.take(m)
		}
	}
}

func (l *Line) send(b []byte) {
	// What does not get through is repeated.
	_, _ = l.conn.WriteToUDPAddrPort(b, l.target)
}

// repeatDue sends again what has had no answer for long enough.
func (l *Line) repeatDue(now time.Time) {
	var lost []*leg
	l.mu.Lock()
	for id, g := range l.legs {
		if g.repeat == nil || now.Before(g.next) {
			continue
		}
		if g.tries++; g.tries > maxTries {
			g.repeat = nil
			delete(l.legs, id)
			lost = append(lost, g)
			continue
		}
		g.wait = min(2*g.wait, t2)
		g.next = now.Add(g.wait)
		l.send(g.repeat)
	}
	l.mu.Unlock()
	for _, g := range lost {
		l.over(g, "no answer from the switch")
	}
}

// insist sends a message now and until it is answered.
func (l *Line) insist(g *leg, b []byte) {
	g.repeat, g.wait, g.tries, g.next = b, t1, 0, time.Now().Add(t1)
	l.send(b)
}

// over tells that a leg is no more, once.
func (l *Line) over(g *leg, why string) {
	l.mu.Lock()
	was := g.ended
	g.ended, g.repeat = true, nil
	delete(l.legs, g.id)
	l.mu.Unlock()
	switch {
	case was:
	case g.trunk:
		l.tell.Left(g.call)
	default:
		l.tell.Ended(g.call, why)
	}
}

// Legs is how many dialogs there are.
func (l *Line) Legs() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.legs)
}
