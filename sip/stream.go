package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

const (
	writeStream = 5 * time.Second
	dialStream  = 4 * time.Second // attacks: a second trunk is tried after at most 4 s

	maxUnsent = 256 // messages waiting for one connection
)

var (
	errCongested = errors.New("too many messages wait for the connection")
	errConnect   = errors.New("connect to")
)

// streams writes to TCP connections without making anybody wait: each address
// has a queue, and a goroutine while the queue is not empty, so order is kept.
type streams struct {
	sock *socket

	mu     sync.Mutex
	unsent map[netip.AddrPort][]unsent
}

type unsent struct {
	flow flow
	data []byte
	of   *clientTx // the transaction whose request it is, or nil
}

func (u unsent) failed(err error) {
	if u.of != nil {
		u.of.fail(err)
	}
}

func newStreams(s *socket) *streams {
	return &streams{sock: s, unsent: map[netip.AddrPort][]unsent{}}
}

func (st *streams) send(u unsent) {
	to := u.flow.remote
	st.mu.Lock()
	queue, busy := st.unsent[to]
	if len(queue) >= maxUnsent {
		st.mu.Unlock()
		st.sock.ep.background(func() { u.failed(errCongested) })
		return
	}
	st.unsent[to] = append(queue, u)
	st.mu.Unlock()
	if !busy {
		st.sock.ep.background(func() { st.drain(to) })
	}
}

func (st *streams) drain(to netip.AddrPort) {
	for {
		st.mu.Lock()
		queue := st.unsent[to]
		if len(queue) == 0 {
			delete(st.unsent, to)
			st.mu.Unlock()
			return
		}
		next := queue[0]
		queue[0] = unsent{}
		st.unsent[to] = queue[1:]
		st.mu.Unlock()
		if next.of != nil && !next.of.wanted() {
			// It ended, or was hung up, while it waited: sent now it would ring a
			// phone for nobody.
			next.of.fail(errWithdrawn)
			continue
		}
		err := st.write(next.flow, next.data)
		if errors.Is(err, errConnect) {
			// What waits behind it would try the same address in vain, each for as
			// long: the whole queue would be late, and sent when nobody wants it.
			st.abandon(to, err)
		}
		if err != nil {
			next.failed(err)
		}
	}
}

// abandon fails all that waits for an address.
func (st *streams) abandon(to netip.AddrPort, err error) {
	st.mu.Lock()
	queue := st.unsent[to]
	st.unsent[to] = nil // still there: this goroutine is at it
	st.mu.Unlock()
	for _, u := range queue {
		u.failed(err)
	}
}

// write tries a connection that is there first, and a new one when that turns
// out to be dead.
func (st *streams) write(f flow, data []byte) error {
	layer := st.sock.layer
	if c, err := layer.GetConnection("tcp", f.remote.String()); err == nil {
		err = writeTo(c, data)
		if err == nil || !f.alt.IsValid() {
			return err
		}
		layer.Pool("tcp").Delete(f.remote.String())
		_ = c.Close()
	}
	if !f.alt.IsValid() {
		return fmt.Errorf("the connection from %s is gone", f.remote)
	}
	ctx, cancel := context.WithTimeout(st.sock.ep.ctx, dialStream)
	defer cancel()
	// sipgo connects for requests only, and insists on a Via.
	probe := sipmsg.NewRequest(sipmsg.OPTIONS, sipmsg.Uri{Host: f.alt.Addr().String(), Port: int(f.alt.Port())})
	probe.AppendHeader(&sipmsg.ViaHeader{Transport: "TCP", Host: "localhost", Port: 1})
	probe.SetTransport("TCP")
	probe.SetDestination(f.alt.String())
	c, err := layer.ClientRequestConnection(ctx, probe)
	if err != nil {
		return fmt.Errorf("%w %s: %w", errConnect, f.alt, err)
	}
	return writeTo(c, data)
}

// writeTo writes and gives the connection back.
func writeTo(c sipmsg.Connection, data []byte) error {
	defer func() { _, _ = c.TryClose() }()
	conn, ok := c.(*sipmsg.TCPConnection)
	if !ok {
		return fmt.Errorf("a %T is no TCP connection", c)
	}
	if _, err := conn.Write(data); err != nil {
		return fmt.Errorf("send to %s: %w", conn.RemoteAddr(), err)
	}
	return nil
}
