package sip

import (
	"sync"

	"b2bua/sip/transport"
)

// carriers knows which client transactions wait for an answer over which
// connection: who is rung over one that ends is not heard of any more, and a
// transaction over a connection has no timer that would notice (RFC 3261
// §17.1.4, §18.4). There is no more in it than there are client transactions.
type carriers struct {
	mu   sync.Mutex
	over map[*transport.Conn]map[*clientTx]struct{}
}

func newCarriers() *carriers {
	return &carriers{over: map[*transport.Conn]map[*clientTx]struct{}{}}
}

func (c *carriers) add(conn *transport.Conn, tx *clientTx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.over[conn]
	if all == nil {
		all = map[*clientTx]struct{}{}
		c.over[conn] = all
	}
	all[tx] = struct{}{}
}

func (c *carriers) remove(conn *transport.Conn, tx *clientTx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if all := c.over[conn]; all != nil {
		if delete(all, tx); len(all) == 0 {
			delete(c.over, conn)
		}
	}
}

// lost ends what depends on a connection that is gone.
func (c *carriers) lost(conn *transport.Conn) {
	c.mu.Lock()
	all := c.over[conn]
	delete(c.over, conn)
	c.mu.Unlock()
	for tx := range all {
		tx.lost(conn)
	}
}

// carriedBy notes the connection that the request has been written to.
func (tx *clientTx) carriedBy(conn *transport.Conn) {
	tx.mu.Lock()
	if tx.phase != proceeding || tx.carrier == conn {
		tx.mu.Unlock()
		return
	}
	tx.uncarried()
	tx.carrier = conn
	tx.ep.carriers.add(conn, tx)
	tx.mu.Unlock()
	if conn.Ended() { // and has told so before it was noted
		tx.ep.carriers.lost(conn)
	}
}

// uncarried: it does not matter any more what becomes of the connection. mu is
// held.
func (tx *clientTx) uncarried() {
	if tx.carrier != nil {
		tx.ep.carriers.remove(tx.carrier, tx)
		tx.carrier = nil
	}
}

// lost: the connection that carried the request is gone. A request that nobody
// has answered at all may have met a connection that was dead already, as after a
// restart of the far end; it goes out once more, by another one if one can be
// made. Who has heard it sees a repetition.
func (tx *clientTx) lost(conn *transport.Conn) {
	tx.mu.Lock()
	if tx.carrier != conn || tx.phase != proceeding {
		tx.mu.Unlock()
		return
	}
	tx.carrier = nil
	if tx.abandoned {
		tx.mu.Unlock()
		tx.terminate()
		return
	}
	again := !tx.heard && !tx.resent && !tx.withdrawn && tx.flow.alt.IsValid()
	tx.resent = tx.resent || again
	way, data := tx.flow, tx.data
	tx.mu.Unlock()
	if !again {
		tx.fail(transport.ErrGone)
		return
	}
	way.send(data, tx)
}
