package sip

import (
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// Timer values of RFC 3261 §17 and RFC 6026.
const (
	t1       = 500 * time.Millisecond
	t2       = 4 * time.Second
	t4       = 5 * time.Second
	lifetime = 64 * t1 // B, F, H, J, L, M and D
)

type phase int

const (
	proceeding phase = iota
	accepted2xx
	completed
	confirmed
	terminated
)

// serverTx is a server transaction: it remembers its last response, repeats it
// for repeated requests, and repeats a failure of an INVITE until it is
// acknowledged (RFC 3261 §17.2). It does not repeat a 2xx; the leg does.
type serverTx struct {
	ep     *Endpoint
	key    string
	req    *sipmsg.Request // until the final response
	flow   flow
	source netip.AddrPort
	tag    string // of our To header
	invite bool

	mu       sync.Mutex
	phase    phase
	last     []byte
	repeat   *time.Timer // G
	interval time.Duration
	expiry   *time.Timer // H, I, J, L; before that, not of an INVITE, the far end's F
	leg      *Leg        // of an INVITE: whom a CANCEL concerns
	final    func()      // called once, when there is a final response, or none to come
}

// serverKey identifies the transaction of a request (RFC 3261 §17.2.3). method
// is that of the transaction: INVITE for ACK and, when that is what one looks
// for, for CANCEL.
func serverKey(req *sipmsg.Request, method sipmsg.RequestMethod) string {
	via := req.Via()
	branch, _ := via.Params.Get("branch")
	if len(branch) > len(branchCookie) && strings.EqualFold(branch[:len(branchCookie)], branchCookie) {
		return string(method) + "|" + branch + "|" + strings.ToLower(via.Host) + ":" + strconv.Itoa(via.Port)
	}
	// RFC 2543: no unique branch.
	return strings.Join([]string{string(method), "", tagOf(req.From().Params), req.CallID().Value(),
		strconv.FormatUint(uint64(req.CSeq().SeqNo), 10), req.Recipient.String(), via.Value()}, "|")
}

// respond sends res and moves on. It reports false when there is a final
// response already.
func (tx *serverTx) respond(res response) bool {
	tx.mu.Lock()
	if tx.phase != proceeding {
		tx.mu.Unlock()
		return false
	}
	data := res.bytes(tx.req, tx.tag, tx.ep.cfg.UserAgent)
	tx.last = data
	if res.code >= 200 {
		tx.req = nil // it lives on for half a minute without it
	}
	switch {
	case res.code < 200:
	case tx.invite && res.code < 300:
		tx.phase = accepted2xx
		tx.expireIn(lifetime)
	case tx.invite:
		tx.phase = completed
		tx.leg = nil
		tx.expireIn(lifetime)
		if !tx.flow.reliable() {
			tx.interval = t1
			tx.repeat = time.AfterFunc(t1, tx.repeatFailure)
		}
	case tx.flow.reliable():
		tx.phase = completed
		tx.expireIn(0)
	default:
		tx.phase = completed
		tx.expireIn(lifetime)
	}
	final := tx.takeFinal()
	tx.mu.Unlock()
	final()
	tx.flow.send(data, nil)
	return true
}

// onFinal has f called when the transaction is decided. It is set before anything
// is sent.
func (tx *serverTx) onFinal(f func()) {
	tx.mu.Lock()
	tx.final = f
	tx.mu.Unlock()
}

// takeFinal gives what is to be called now, once; mu is held.
func (tx *serverTx) takeFinal() func() {
	f := tx.final
	if f == nil || tx.phase == proceeding {
		return func() {}
	}
	tx.final = nil
	return f
}

// reply is respond with nothing but a status.
func (tx *serverTx) reply(code int, headers ...Header) {
	tx.respond(response{code: code, headers: headers})
}

// request is what is to be answered; nil once it has been.
func (tx *serverTx) request() *sipmsg.Request {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.req
}

// sent is the last response.
func (tx *serverTx) sent() []byte {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.last
}

// resend repeats the last response: of a 2xx until its ACK comes.
func (tx *serverTx) resend() {
	tx.mu.Lock()
	data, alive := tx.last, tx.phase != terminated && tx.phase != confirmed
	tx.mu.Unlock()
	if alive && data != nil {
		tx.flow.send(data, nil)
	}
}

// repeated is a retransmission of the request. RFC 6026 §7.1: once a 2xx went
// out the INVITE is only absorbed.
func (tx *serverTx) repeated() {
	tx.mu.Lock()
	silent := tx.phase == accepted2xx
	tx.mu.Unlock()
	if !silent {
		tx.resend()
	}
}

// acknowledged is the ACK for a failure. It reports whether it was that.
func (tx *serverTx) acknowledged() bool {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	switch tx.phase {
	case completed:
		tx.phase = confirmed
		tx.stopRepeat()
		if tx.flow.reliable() {
			tx.expireIn(0)
		} else {
			tx.expireIn(t4) // absorb more of them (timer I)
		}
		return true
	case confirmed:
		return true
	}
	return false
}

// ongoing reports whether the transaction has not failed: a copy of its request
// by another way is the same call (RFC 3261 §8.2.2.2).
func (tx *serverTx) ongoing() bool {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.phase == proceeding || tx.phase == accepted2xx
}

// concerns gives the leg that a CANCEL is about.
func (tx *serverTx) concerns() *Leg {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.leg
}

func (tx *serverTx) setLeg(l *Leg) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.leg = l
}

func (tx *serverTx) repeatFailure() {
	tx.mu.Lock()
	if tx.phase != completed {
		tx.mu.Unlock()
		return
	}
	data := tx.last
	tx.interval = min(2*tx.interval, t2)
	tx.repeat.Reset(tx.interval)
	tx.mu.Unlock()
	tx.flow.send(data, nil)
}

// expireIn ends the transaction after d; mu is held.
func (tx *serverTx) expireIn(d time.Duration) {
	switch {
	case d == 0:
		if tx.expiry != nil {
			tx.expiry.Stop()
		}
		tx.phase = terminated
		tx.ep.servers.remove(tx.key)
	case tx.expiry != nil:
		tx.expiry.Reset(d)
	default:
		tx.expiry = time.AfterFunc(d, tx.terminate)
	}
}

func (tx *serverTx) stopRepeat() {
	if tx.repeat != nil {
		tx.repeat.Stop()
	}
}

func (tx *serverTx) terminate() {
	tx.mu.Lock()
	tx.phase = terminated
	tx.stopRepeat()
	if tx.expiry != nil {
		tx.expiry.Stop()
	}
	tx.leg = nil
	final := tx.takeFinal()
	tx.mu.Unlock()
	final()
	tx.ep.servers.remove(tx.key)
}
