package sip

import (
	"strings"

	"b2bua/sip/registrar"

	sipmsg "github.com/emiago/sipgo/sip"
)

// Binding is a contact that a device has registered.
type Binding = registrar.Binding

// Target is where an INVITE goes: a trunk's URI, or one contact of a device.
type Target struct {
	URI      string // "sip:host:port;transport=tcp"; a user part is replaced by Dial.To
	Username string // for digest, when the far end challenges
	Password string
	// TLSName is who the far end must prove to be over TLS (RFC 5922); empty means
	// the host of URI. Insecure leaves out the proof.
	TLSName  string
	Insecure bool
	Binding  *Binding // set: the device's contact, by the way it registered
}

// Dial asks for an outbound leg.
type Dial struct {
	Target      Target
	From        Party    // Host empty: our own address
	To          string   // user part of the Request-URI and To
	Routes      []string // the proxies on the way, as Route values (RFC 3608); the first says where to send
	Offer       []byte
	Headers     []Header
	Identity    Identity
	MaxForwards int // 70 when 0
}

// Dial sends an INVITE. It returns at once: what becomes of it, even a target
// that makes no sense, is told by events.
func (e *Endpoint) Dial(d Dial, post func(func()) bool, on func(Event)) *Leg {
	leg := newLeg(e, uac)
	leg.callID = newToken() + newToken()
	leg.own(post, on)
	leg.box.post(func() { leg.invite(d) })
	return leg
}

// preloaded is the URI of the first of the Routes, which says where the INVITE
// goes. All must be loose routers (RFC 3608 §5.1), or none is used.
func (d Dial) preloaded() (hop sipmsg.Uri, ok bool) {
	if len(d.Routes) == 0 || len(d.Routes) > maxRoutes || d.Target.Binding != nil {
		return hop, false
	}
	for i, route := range d.Routes {
		a, found := readNameAddr(route)
		u, valid := readURI(a.uri)
		if !found || !valid || u.Scheme == "tel" || plain(route) != route || !strings.Contains(route, "<") || !hasParam(u.UriParams, "lr") {
			return hop, false
		}
		if i == 0 {
			hop = u
		}
	}
	return hop, true
}
