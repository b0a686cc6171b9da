package sip

import (
	"net/netip"
	"runtime/debug"
	"strings"

	"b2bua/sip/transport"

	sipmsg "github.com/emiago/sipgo/sip"
)

// receive takes every message, in order of arrival, on the goroutine that read
// it. What it does is short: legs and handlers are told, not waited for.
func (e *Endpoint) receive(s *socket, conn *transport.Conn, msg sipmsg.Message) {
	defer func() {
		if v := recover(); v != nil {
			e.panics.Add(1)
			e.log.Error("message handling panicked", "err", v, "stack", string(debug.Stack()))
		}
	}()
	source, err := netip.ParseAddrPort(msg.Source())
	if err != nil {
		return
	}
	source = unmapped(source)
	msg.SetSource(source.String())
	switch m := msg.(type) {
	case *sipmsg.Response:
		e.receiveResponse(m)
	case *sipmsg.Request:
		e.receiveRequest(arrival{sock: s, conn: conn, source: source, req: m})
	}
}

func (e *Endpoint) receiveResponse(res *sipmsg.Response) {
	if missing(res) != "" || len(res.GetHeaders("via")) != 1 {
		return // RFC 3261 §8.1.3.3: more than one Via was not meant for us
	}
	branch, _ := res.Via().Params.Get("branch")
	method := strings.ToUpper(strings.TrimSpace(string(res.CSeq().MethodName)))
	if tx, ok := e.clients.get(clientKey(branch, method)); ok && res.StatusCode >= 100 && res.StatusCode < 700 {
		tx.receive(res)
	}
}

// arrival is a request and how it came.
type arrival struct {
	sock   *socket
	conn   *transport.Conn // nil over UDP
	source netip.AddrPort
	req    *sipmsg.Request
}

// flow is the way back for responses (RFC 3261 §18.2.2, RFC 3581 §4).
func (a arrival) flow() flow {
	to := a.source
	via := a.req.Via()
	if a.sock.network == "udp" {
		if _, rport := via.Params.Get("rport"); !rport {
			port := via.Port
			if port <= 0 || port >= 1<<16 {
				port = 5060
			}
			to = netip.AddrPortFrom(to.Addr(), uint16(port))
		}
		return flow{sock: a.sock, remote: to}
	}
	return flow{sock: a.sock, remote: to, name: a.conn.Name(), insecure: a.conn.Insecure(), accepted: !a.conn.Dialled()}
}

// back is the way for the responses of a transaction: that of its request, and
// when the connection is gone meanwhile a new one to where it came from, at the
// port that its sender says it listens at (RFC 3261 §18.2.2). Over TLS it must
// prove there the name that it gave itself. It is for those whom we know: a
// stranger is not to choose whom we connect to.
func (a arrival) back() flow {
	way := a.flow()
	if a.sock.network != "tcp" && a.sock.network != "tls" {
		return way
	}
	via := a.req.Via()
	by := sipmsg.Uri{Host: via.Host, Port: via.Port}
	way.alt = netip.AddrPortFrom(a.source.Addr(), portOf(by, a.sock.network))
	if way.name == "" {
		way.name = a.sock.nameFor(by)
	}
	return way
}

// peer is the way for requests to whoever sent one: over what it came by, for
// where the new ones go is said by its Contact.
func (tx *serverTx) peer() flow {
	way := tx.flow
	way.remote, way.alt = tx.source, netip.AddrPort{}
	if way.accepted {
		way.name = "" // given, not proved
	}
	return way
}

// refuse answers without remembering anything, as strangers are to be answered:
// repeating the request repeats the answer, tag included (RFC 3261 §8.2.7).
func (e *Endpoint) refuse(a arrival, code int, headers ...Header) {
	if a.req.IsAck() {
		return
	}
	res := response{code: code, headers: headers}
	data := res.bytes(a.req, e.statelessTag(a.req), e.cfg.UserAgent)
	if a.sock.network == "udp" && !e.registered(a.source, "udp") && !e.guard.Spend(a.source.Addr(), len(data)) {
		return
	}
	a.flow().send(data, nil)
}

// dismiss is refuse for what needs no permission, such as a ping: a stranger is
// answered a few times, then there is silence.
func (e *Endpoint) dismiss(a arrival, code int, headers ...Header) {
	known := e.registered(a.source, a.sock.network) || e.friends.at(a.source)
	if a.req.IsAck() || !known && !e.guard.Answer(a.source.Addr()) {
		return
	}
	e.refuse(a, code, headers...)
}

func (e *Endpoint) receiveRequest(a arrival) {
	if code := sane(a.req); code != 0 {
		if a.req.Via() != nil {
			e.dismiss(a, code)
		}
		return
	}
	req := a.req
	if req.Recipient.Scheme == "sips" && !a.sock.secure() {
		e.dismiss(a, 416) // RFC 3261 §26.2.2: it was not protected on its way
		return
	}
	switch req.Method {
	case sipmsg.ACK:
		e.receiveAck(a)
		return
	case sipmsg.CANCEL:
		e.receiveCancel(a)
		return
	}
	if tx, ok := e.servers.get(serverKey(req, req.Method)); ok {
		tx.repeated()
		return
	}
	if tagOf(req.To().Params) != "" {
		e.receiveInDialog(a)
		return
	}
	switch req.Method {
	case sipmsg.INVITE:
		e.receiveInvite(a)
	case sipmsg.OPTIONS:
		e.receiveOptions(a)
	case sipmsg.REGISTER:
		e.receiveRegister(a)
	case sipmsg.BYE, sipmsg.INFO, sipmsg.UPDATE, sipmsg.PRACK:
		e.dismiss(a, 481)
	default:
		e.receiveOther(a)
	}
}

// receiveInDialog hands a request to its leg; a transaction is begun only for
// dialogs that exist.
func (e *Endpoint) receiveInDialog(a arrival) {
	leg, ok := e.dialogs.get(dialogKey(a.req.CallID().Value(), tagOf(a.req.To().Params)))
	if !ok {
		e.receiveRenewal(a)
		return
	}
	if tx := e.serve(a, ""); tx != nil {
		leg.box.post(func() { leg.receive(tx) })
	}
}

// serve begins a server transaction, or gives nil when there is one already.
func (e *Endpoint) serve(a arrival, tag string) *serverTx {
	key := serverKey(a.req, a.req.Method)
	tx, begun := e.servers.begin(key, func() *serverTx {
		tx := &serverTx{ep: e, key: key, req: a.req, flow: a.back(), source: a.source,
			tag: tag, invite: a.req.IsInvite()}
		if !tx.invite {
			// After that nobody waits for the answer any more, and a 408 would help
			// nobody (RFC 4320 §4.2).
			tx.mu.Lock()
			tx.expireIn(lifetime)
			tx.mu.Unlock()
		}
		return tx
	})
	if !begun {
		tx.repeated()
		return nil
	}
	return tx
}

// receive takes a request within the leg's dialog, or one of its early ones.
func (l *Leg) receive(tx *serverTx) {
	req := tx.req
	d := l.dialogOf(tagOf(req.From().Params))
	if d == nil {
		tx.reply(481)
		return
	}
	seq := req.CSeq().SeqNo
	if d.heard && seq <= d.remoteSeq {
		tx.reply(500) // RFC 3261 §12.2.2: out of order
		return
	}
	d.remoteSeq, d.heard = seq, true
	if l.is(StateEnded) || d.over || l.State() > StateEarly && d != l.dialog {
		switch req.Method {
		case sipmsg.BYE:
			tx.reply(200) // our BYE and theirs crossed
		case sipmsg.PRACK:
			l.prackLate(tx)
		default:
			tx.reply(481)
		}
		return
	}
	if code := unfit(req); code != 0 {
		tx.reply(code, allowHeader)
		return
	}
	if unsupported := required(req); unsupported != "" {
		tx.reply(420, Header{"Unsupported", unsupported})
		return
	}
	d.note(req)
	switch req.Method {
	case sipmsg.BYE:
		l.receiveBye(d, tx)
	case sipmsg.INVITE:
		l.receiveReinvite(tx)
	case sipmsg.UPDATE:
		l.receiveUpdate(d, tx)
	case sipmsg.PRACK:
		l.receivePrack(tx)
	case sipmsg.INFO:
		l.receiveInfo(tx)
	case sipmsg.OPTIONS:
		tx.respond(response{code: 200, headers: capabilities})
	case sipmsg.REFER:
		l.receiveRefer(tx)
	case sipmsg.SUBSCRIBE:
		l.receiveSubscribe(tx)
	case sipmsg.NOTIFY:
		tx.reply(notified(req), eventsHeader)
	default:
		tx.reply(405, allowHeader)
	}
}
