package sip

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"b2bua/sip/transport"

	sipmsg "github.com/emiago/sipgo/sip"
)

var errTimeout = errors.New("no response")

// errRang: there were provisional responses, then nothing more.
var errRang = fmt.Errorf("no final response: %w", errTimeout)

// clientTx is a client transaction: it repeats its request until there is a
// response, and acknowledges the failure of an INVITE (RFC 3261 §17.1, RFC 6026).
type clientTx struct {
	ep       *Endpoint
	branch   string
	req      *request
	flow     flow
	invite   bool
	response func(*sipmsg.Response) // every one that is no repetition, and every 2xx of an INVITE
	failed   func(error)            // no final response will come

	mu        sync.Mutex
	phase     phase
	abandoned bool // nobody waits for the answer any more
	withdrawn bool // not to be sent, if it has not been
	cancelled bool // by its owner, who alone looks at it
	data      []byte
	ack       []byte
	repeat    *time.Timer // A, E
	interval  time.Duration
	expiry    *time.Timer // B, F; then D, K, M

	// Of a request that is too large for UDP, until it is certain to go by TCP:
	small        flow // the way by UDP
	smallHeaders []Header
	opening      *time.Timer
	written      bool // to the connection

	// Of requests over connections, see carrier.go:
	carrier *transport.Conn // the one it has been written to
	heard   bool            // a provisional response
	resent  bool            // by a second connection
}

// maxRinging is how long after its last word a far end is still believed to ring
// (the idea of timer C, RFC 3261 §16.6).
const maxRinging = 10 * time.Minute

func clientKey(branch, method string) string { return method + "|" + branch }

// request starts a transaction for req, whose Via it writes.
func (e *Endpoint) request(f flow, req *request, response func(*sipmsg.Response), failed func(error)) *clientTx {
	branch := branchCookie + newToken()
	req.via = f.via(branch)
	return e.transact(f, branch, req, response, failed)
}

func (e *Endpoint) transact(f flow, branch string, req *request, response func(*sipmsg.Response), failed func(error)) *clientTx {
	if e.cfg.UserAgent != "" && req.method != "CANCEL" {
		req.headers = append(req.headers, Header{"User-Agent", e.cfg.UserAgent})
	}
	tx := &clientTx{ep: e, branch: branch, req: req, flow: f, invite: req.method == "INVITE",
		response: response, failed: failed, data: req.bytes()}
	tx.mu.Lock()
	tx.enlarge()
	f = tx.flow
	data := tx.data
	e.clients.add(clientKey(branch, req.method), tx)
	if !f.reliable() {
		tx.interval = t1
		tx.repeat = time.AfterFunc(t1, tx.again)
	}
	tx.expiry = time.AfterFunc(lifetime, func() { tx.fail(errTimeout) })
	tx.mu.Unlock()
	f.send(data, tx)
	return tx
}

// receive takes a response; they come in the order of arrival.
func (tx *clientTx) receive(res *sipmsg.Response) {
	tx.mu.Lock()
	tx.settled()
	code := res.StatusCode
	pass, ack := false, []byte(nil)
	switch {
	case tx.phase == proceeding && code < 200:
		pass = true
		tx.heard = true
		if tx.invite {
			// From here on the owner decides how long it rings.
			tx.stop()
			if tx.abandoned {
				tx.expiry = time.AfterFunc(lifetime, tx.terminate)
			} else {
				tx.expiry = time.AfterFunc(maxRinging, tx.rung)
			}
		} else {
			tx.interval = t2
		}
	case tx.phase == proceeding && tx.invite && code < 300:
		pass = true
		tx.phase = accepted2xx
		tx.settle(lifetime)
	case tx.phase == proceeding && tx.invite:
		pass = true
		tx.phase = completed
		tx.ack = tx.req.sibling("ACK", plain(res.To().Value()), nil).bytes()
		ack = tx.ack
		tx.settle(tx.linger(lifetime))
	case tx.phase == proceeding:
		pass = true
		tx.phase = completed
		tx.settle(tx.linger(t4))
	case tx.phase == accepted2xx && code >= 200 && code < 300:
		pass = true
	case tx.phase == accepted2xx && code < 200:
		pass = true // overtaken by the answer; the leg knows what is late
	case tx.phase == completed && tx.invite && code >= 300:
		ack = tx.ack
	}
	tx.mu.Unlock()
	if ack != nil {
		tx.flow.send(ack, nil)
	}
	if pass {
		tx.response(res)
	}
}

func (tx *clientTx) linger(d time.Duration) time.Duration {
	if tx.flow.reliable() {
		return 0
	}
	return d
}

// settle has got a final response; mu is held.
func (tx *clientTx) settle(d time.Duration) {
	tx.stop()
	tx.uncarried()
	tx.data = nil
	if d == 0 {
		tx.phase = terminated
		tx.ep.clients.remove(clientKey(tx.branch, tx.req.method))
		return
	}
	tx.expiry = time.AfterFunc(d, tx.terminate)
}

// stop the timers; mu is held.
func (tx *clientTx) stop() {
	tx.settled()
	if tx.repeat != nil {
		tx.repeat.Stop()
		tx.repeat = nil
	}
	if tx.expiry != nil {
		tx.expiry.Stop()
		tx.expiry = nil
	}
}

func (tx *clientTx) again() {
	tx.mu.Lock()
	if tx.phase != proceeding || tx.repeat == nil {
		tx.mu.Unlock()
		return
	}
	tx.interval *= 2
	if !tx.invite {
		tx.interval = min(tx.interval, t2)
	}
	tx.repeat.Reset(tx.interval)
	data := tx.data
	tx.mu.Unlock()
	tx.flow.send(data, nil) // the first copy is under way: that this one is not says nothing
}

// fail ends a transaction that will have no final response.
func (tx *clientTx) fail(err error) {
	if tx.shrink(err) {
		return
	}
	tx.mu.Lock()
	if tx.phase != proceeding {
		tx.mu.Unlock()
		return
	}
	tx.phase = terminated // only one of two failures is told
	tx.mu.Unlock()
	tx.terminate()
	if tx.failed != nil {
		tx.failed(err)
	}
}

// rung tells the owner that it has waited long enough. The far end, which rings
// until it is told, may still answer: the transaction takes that (RFC 3261 §16.8).
func (tx *clientTx) rung() {
	tx.mu.Lock()
	waited := tx.phase == proceeding && !tx.abandoned
	tx.mu.Unlock()
	if waited {
		tx.abandon()
		tx.failed(errRang)
	}
}

// abandon gives the far end a last chance to answer.
func (tx *clientTx) abandon() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.phase != proceeding {
		return
	}
	tx.abandoned = true
	if tx.expiry != nil {
		tx.expiry.Stop()
	}
	tx.expiry = time.AfterFunc(lifetime, tx.terminate)
}

// desert is abandon for one that is not to be repeated, either: who has not
// heard it shall not ring late.
func (tx *clientTx) desert() {
	tx.abandon()
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.repeat != nil {
		tx.repeat.Stop()
		tx.repeat = nil
	}
}

// withdraw keeps a request from going out that still waits for its connection.
// One that is on its way cannot be called back.
func (tx *clientTx) withdraw() {
	tx.mu.Lock()
	tx.withdrawn = true
	tx.mu.Unlock()
}

// wantedBy reports whether the request is still to be sent by a socket, which
// does so then.
func (tx *clientTx) wantedBy(s *socket) bool {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	wanted := tx.phase == proceeding && !tx.abandoned && !tx.withdrawn && tx.flow.sock == s
	tx.written = tx.written || wanted
	return wanted
}

// terminate forgets the transaction without a word.
func (tx *clientTx) terminate() {
	tx.mu.Lock()
	tx.phase = terminated
	tx.stop()
	tx.uncarried()
	tx.mu.Unlock()
	tx.ep.clients.remove(clientKey(tx.branch, tx.req.method))
}
