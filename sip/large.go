package sip

import (
	"errors"
	"strings"
	"time"

	"b2bua/sip/locate"
)

// maxDatagram is the largest request that goes by UDP when the path's MTU is not
// known (RFC 3261 §18.1.1): more would be sent in fragments, which many firewalls
// drop.
const maxDatagram = 1300

const (
	// openWithin is how long a connection may take that stands in for UDP. Many
	// carriers have UDP only, and drop what comes for another port without a word.
	openWithin = time.Second
	// smallFor is how long a far end that has no TCP is spared the attempt.
	smallFor = 10 * time.Minute
)

var errNotOpened = errors.New("no connection in time")

// large is the TCP way for a request of some size that was to go by UDP. A phone
// behind a NAT is reached by the way it registered, and by no other.
func (e *Endpoint) large(f flow, size int) (flow, bool) {
	if f.sock.network != "udp" || size <= maxDatagram || e.registered(f.remote, "udp") {
		return flow{}, false
	}
	sock := e.socketFor("tcp", f.remote.Addr())
	if sock == nil || e.locator.Failing(locate.Target{Transport: "tcp", Addr: f.remote}) {
		return flow{}, false
	}
	return flow{sock: sock, remote: f.remote, alt: f.remote}, true
}

// enlarge moves a request that is too large for UDP to TCP, and says so in its
// Via and Contact.
func (tx *clientTx) enlarge() {
	way, ok := tx.ep.large(tx.flow, len(tx.data))
	if !ok || tx.req.method == "CANCEL" { // which goes the way of its INVITE
		return
	}
	tx.small, tx.smallHeaders = tx.flow, tx.req.headers
	tx.flow = way
	tx.req.via = way.via(tx.branch)
	if tx.req.method != "REGISTER" {
		tx.req.headers = moved(tx.req.headers, tx.small, way)
	}
	tx.data = tx.req.bytes()
	tx.opening = time.AfterFunc(openWithin, func() { tx.shrink(errNotOpened) })
}

// moved names another socket of ours in Contact.
func moved(headers []Header, from, to flow) []Header {
	out := make([]Header, len(headers))
	for i, h := range headers {
		if h.Name == "Contact" {
			h.Value = strings.Replace(h.Value, from.hostport()+">", to.hostport()+";transport=tcp>", 1)
		}
		out[i] = h
	}
	return out
}

// shrink sends the request by UDP after all, because there is no TCP at the far
// end (RFC 3261 §18.1.1), and reports whether it does. It does not when the
// request may have arrived.
func (tx *clientTx) shrink(err error) bool {
	tx.mu.Lock()
	if tx.small.sock == nil || tx.written && errors.Is(err, errNotOpened) || tx.phase != proceeding || tx.abandoned || tx.withdrawn || errors.Is(err, errTimeout) {
		tx.mu.Unlock()
		return false
	}
	tx.ep.locator.Avoid(tx.flow.target(), smallFor)
	way := tx.small
	tx.flow, tx.req.headers = way, tx.smallHeaders
	tx.settled()
	tx.req.via = way.via(tx.branch)
	tx.data = tx.req.bytes()
	tx.interval = t1
	tx.repeat = time.AfterFunc(t1, tx.again)
	data := tx.data
	tx.mu.Unlock()
	way.send(data, tx)
	return true
}

// settled: the way of the request is not to change any more. mu is held.
func (tx *clientTx) settled() {
	tx.small, tx.smallHeaders = flow{}, nil
	if tx.opening != nil {
		tx.opening.Stop()
		tx.opening = nil
	}
}

// contact is the Contact of the request.
func (tx *clientTx) contact() string {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	for _, h := range tx.req.headers {
		if h.Name == "Contact" {
			return h.Value
		}
	}
	return ""
}

// way is where the request goes.
func (tx *clientTx) way() flow {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.flow
}
