package sip

import (
	"net/netip"
	"strings"

	"b2bua/sip/locate"

	sipmsg "github.com/emiago/sipgo/sip"
)

// dialog is the state of RFC 3261 §12.
type dialog struct {
	callID    string
	localTag  string
	remoteTag string
	local     string // our From, with tag
	remote    string // our To, with the remote tag once there is one
	localSeq  uint32
	remoteSeq uint32 // highest seen; valid when heard
	heard     bool
	routes    []sipmsg.Uri
	target    sipmsg.Uri // remote target: the far end's Contact
	contact   string     // ours

	// Of an early dialog.
	formed bool   // by a response; before that only its tag is known
	over   bool   // the far end has left it by BYE
	rseq   uint32 // of the last reliable provisional response taken (RFC 3262 §4)
	agreed bool   // the INVITE's offer has its answer, reliably
	moved  bool   // and another offer has changed the session since

	updates bool // the far end allows UPDATE

	said   []byte // the last description of ours that holds
	theirs []byte // and of theirs

	peer flow // the way the far end's messages come; reaches it through NAT
	kept bool // a device: it is reached only by the way it came
	next flow // the way of the next request
	aims int  // how often that was worked out
}

// request begins a request within the dialog (RFC 3261 §12.2.1.1). It counts up
// CSeq; ACK sets its own.
func (d *dialog) request(method string) *request {
	if method != "ACK" {
		d.localSeq++
	}
	r := &request{method: method, uri: uriText(d.target), from: d.local, to: d.remote,
		callID: d.callID, cseq: d.localSeq}
	if len(d.routes) == 0 {
		return r
	}
	rest := d.routes
	strict := !hasParam(d.routes[0].UriParams, "lr")
	if strict {
		// An RFC 2543 proxy: it wants to find itself in the Request-URI and the
		// target at the end of the route.
		r.uri = uriText(d.routes[0])
		rest = d.routes[1:]
	}
	for _, u := range rest {
		r.routes = append(r.routes, "<"+plain(u.String())+">")
	}
	if strict {
		r.routes = append(r.routes, "<"+uriText(d.target)+">")
	}
	return r
}

// hop is the URI that says where requests go.
func (d *dialog) hop() sipmsg.Uri {
	if len(d.routes) > 0 {
		return d.routes[0]
	}
	return d.target
}

// uriText writes a URI as a Request-URI: without headers (RFC 3261 §19.1.1).
func uriText(u sipmsg.Uri) string {
	text := plain(strings.NewReplacer("<", "", ">", "", " ", "").Replace(u.String()))
	if i := headersOf(text); i >= 0 {
		return text[:i]
	}
	return text
}

// headersOf finds where the headers of a URI begin, or gives -1. The parser
// takes them for part of a parameter when that has no value.
func headersOf(uri string) int {
	at := strings.LastIndexByte(uri, '@') + 1 // a user part may have a question mark
	if i := strings.IndexByte(uri[at:], '?'); i >= 0 {
		return at + i
	}
	return -1
}

func hasParam(params sipmsg.HeaderParams, name string) bool {
	_, ok := param(params, name)
	return ok
}

// param finds a parameter; names are case-insensitive.
func param(params sipmsg.HeaderParams, name string) (string, bool) {
	for _, p := range params {
		if strings.EqualFold(p.K, name) {
			return p.V, true
		}
	}
	return "", false
}

const maxRoutes = 20

// routeSet reads the Record-Route headers; a UAC takes them in reverse order.
func routeSet(msg sipmsg.Message, reverse bool) []sipmsg.Uri {
	var out []sipmsg.Uri
	for _, h := range msg.GetHeaders("record-route") {
		if rr, ok := h.(*sipmsg.RecordRouteHeader); ok && len(out) < maxRoutes {
			out = append(out, *rr.Address.Clone())
		}
	}
	if reverse {
		for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i], out[j] = out[j], out[i]
		}
	}
	return out
}

// refresh takes the Contact of a message as the new remote target (RFC 3261
// §12.2) and reports whether there was one to take.
func (l *Leg) refresh(d *dialog, msg sipmsg.Message) bool {
	h, ok := first(msg.GetHeaders("contact")).(*sipmsg.ContactHeader)
	if !ok || h.Address.Wildcard || !strings.HasPrefix(h.Address.Scheme, "sip") || h.Address.Host == "" {
		return false
	}
	d.target = *h.Address.Clone()
	l.aim(d)
	return true
}

// follow takes the way of a request that refreshes the target for that to a device:
// it is reached only by the way its messages come, and that is another one once it
// has changed its network.
func (l *Leg) follow(d *dialog, tx *serverTx) {
	if !d.kept || tx.source == d.peer.remote && tx.flow.sock == d.peer.sock {
		return
	}
	l.ep.friends.leave(l.friend)
	d.peer, l.friend = tx.peer(), tx.source
	l.ep.friends.enter(l.friend)
}

func first(hs []sipmsg.Header) sipmsg.Header {
	if len(hs) == 0 {
		return nil
	}
	return hs[0]
}

// aim works out where requests of the dialog go. A name is looked up in the
// background; until then they go where the far end's messages came from.
func (l *Leg) aim(d *dialog) {
	hop := d.hop()
	d.aims++
	if d.next.sock == nil {
		d.next = d.peer
	}
	if d.kept && len(d.routes) == 0 {
		d.next = d.peer
		return
	}
	addr, err := netip.ParseAddr(strings.Trim(hop.Host, "[]"))
	if err == nil {
		d.next = l.ep.flowTo(hop, addr.Unmap(), d.peer)
		return
	}
	q := questionOf(hop)
	if q.Transport == "" && d.peer.reliable() {
		q.Transport = d.peer.sock.network // what is known to reach it
	}
	aim := d.aims
	l.ep.locate(q, func(found []locate.Target, err error) {
		l.box.post(func() {
			if err == nil && d.aims == aim {
				d.next = l.ep.flowNear(hop, found[0].Transport, found[0].Addr, d.peer)
			}
		})
	})
}

// dialogs finds the leg that a request belongs to. Call-ID and our own tag
// suffice, because our tags are random; the leg checks the other one.
type dialogs struct{ *table[string, *Leg] }

func newDialogs() *dialogs { return &dialogs{newTable[string, *Leg]()} }

func dialogKey(callID, localTag string) string { return localTag + "|" + callID }
