package sip

import (
	"context"
	"errors"
	"fmt"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// question is a request outside of any dialog: REGISTER, OPTIONS, NOTIFY,
// MESSAGE. It goes to its target and to nobody else, so the answers to
// challenges do, too.
type question struct {
	target Target
	method string
	uri    string // Request-URI; empty means the target's own

	from, to string // header values without tags; an empty From means this switch
	callID   string // empty: a new one
	cseq     uint32 // the number before the first request's

	// headers are written once the way is known: a Contact names our socket.
	headers     func(way flow) []Header
	contentType string
	content     []byte

	account  *account      // kept from request to request; nil: made of the target
	patience time.Duration // for one address; 0: until timer F
}

// reply is what became of a question.
type reply struct {
	res  *sipmsg.Response // the final response, or nil
	err  error            // why there is none, or why a challenge was not answered
	way  flow             // the way of the last request; the zero flow when none was sent
	cseq uint32           // its number
}

// asking is a question under way. Its callbacks come one after the other.
type asking struct {
	ep    *Endpoint
	q     question
	uri   string
	tag   string // of From
	ways  []flow
	way   flow
	trial trial
	done  func(reply)
}

// ask sends q, answers challenges, and tries the next address of the target when
// one does not answer or says 503 (RFC 3263 §4.3). done is called once, on a
// goroutine of the network or of a timer; never once the endpoint closes.
func (e *Endpoint) ask(q question, done func(reply)) {
	u, err := Dial{Target: q.target}.uri()
	if err != nil {
		e.background(func() { done(reply{err: err, cseq: q.cseq}) })
		return
	}
	a := &asking{ep: e, q: q, uri: q.uri, tag: newToken(), trial: trial{}, done: done}
	if a.uri == "" {
		a.uri = uriText(u)
	}
	if a.q.account == nil {
		a.q.account = &account{username: q.target.Username, password: q.target.Password}
	}
	if a.q.callID == "" {
		a.q.callID = newToken() + newToken()
	}
	if b := q.target.Binding; b != nil { // a phone: by the way it registered
		a.ways = []flow{e.flowOf(b)}
		a.next()
		return
	}
	e.waysTo(u, func(ways []flow, err error) {
		if err != nil {
			done(reply{err: err, cseq: q.cseq})
			return
		}
		for i := range ways {
			ways[i] = ways[i].as(q.target)
		}
		a.ways = ways
		a.next()
	})
}

// next tries the next address.
func (a *asking) next() {
	for len(a.ways) > 0 {
		a.way, a.ways = a.ways[0], a.ways[1:]
		if a.way.sock != nil {
			a.send()
			return
		}
	}
	a.done(reply{err: fmt.Errorf("%s to %s: no socket for this transport", a.q.method, a.uri), cseq: a.q.cseq})
}

func (a *asking) send() {
	a.q.cseq++
	from := a.q.from
	if from == "" {
		from = "<sip:" + hostText(a.way.sock.host(a.way.remote.Addr())) + ">"
	}
	r := &request{method: a.q.method, uri: a.uri, from: from + ";tag=" + a.tag, to: a.q.to, callID: a.q.callID, cseq: a.q.cseq,
		contentType: a.q.contentType, content: a.q.content}
	if b := a.q.target.Binding; b != nil {
		r.routes = b.Path
	}
	if a.q.headers != nil {
		r.headers = a.q.headers(a.way)
	}
	r.headers = append(r.headers, a.q.account.answers(r.method, r.uri)...)
	// Its answers are wanted, however little else is known of the far end.
	friend := a.way.remote
	a.ep.friends.enter(friend)
	tx := a.ep.request(a.way, r,
		func(res *sipmsg.Response) {
			if res.StatusCode >= 200 {
				a.ep.friends.leave(friend)
				a.answered(res)
			}
		},
		func(err error) {
			a.ep.friends.leave(friend)
			a.unanswered(err)
		})
	if a.q.patience > 0 {
		time.AfterFunc(a.q.patience, func() { tx.fail(errTimeout) })
	}
}

func (a *asking) answered(res *sipmsg.Response) {
	out := reply{res: res, way: a.way, cseq: a.q.cseq}
	switch res.StatusCode {
	case sipmsg.StatusUnauthorized, sipmsg.StatusProxyAuthRequired:
		if out.err = a.q.account.challenged(res, a.trial); out.err == nil {
			a.send()
			return
		}
	case sipmsg.StatusServiceUnavailable:
		if len(a.ways) > 0 {
			a.next()
			return
		}
	}
	a.done(out)
}

func (a *asking) unanswered(err error) {
	if len(a.ways) > 0 && !a.ep.closing() {
		a.next()
		return
	}
	a.done(reply{err: err, way: a.way, cseq: a.q.cseq})
}

// Ping sends OPTIONS (RFC 3261 §11) and gives the status code of the answer: any
// at all says that somebody is there. Each address of the target has a few
// seconds. The error says why there is no answer.
func (e *Endpoint) Ping(ctx context.Context, to Target) (code int, err error) {
	answered := make(chan reply, 1)
	u, err := Dial{Target: to}.uri()
	if err != nil {
		return 0, err
	}
	select {
	case <-e.ready:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	q := question{target: to, method: "OPTIONS", to: "<" + uriText(u) + ">", patience: pingPatience,
		// Who proves nothing by a ping need not tell a password for it, either.
		account: &account{},
		headers: func(way flow) []Header {
			return []Header{{"Contact", way.contact("")}, acceptHeader, allowHeader}
		}}
	e.ask(q, func(r reply) { answered <- r })
	select {
	case r := <-answered:
		if r.res == nil {
			return 0, fmt.Errorf("ping %s: %w", u.Host, r.err)
		}
		return r.res.StatusCode, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-e.closed:
		return 0, errClosed
	}
}

// pingPatience is how long an address may take to answer a ping: longer than a
// round trip by satellite with one packet lost.
const pingPatience = 4 * time.Second

var errClosed = errors.New("the endpoint has closed")
