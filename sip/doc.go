// Package sip signals calls: it receives and sends SIP requests (RFC 3261),
// keeps dialogs, and tells a call what became of its legs.
//
// It owns: the listening sockets, server and client transactions (RFC 3261 §17
// with RFC 6026), the INVITE dialogs of both directions with the retransmission
// of 2xx and its ACK, CANCEL and its races, forked answers, target refresh and
// offer/answer glare, digest both ways, admission of strangers, the
// registrar's wire side, REFER with its NOTIFY, and the subscriptions of phones to
// their messages. Connections are kept by the transport package. Messages
// are parsed by sipgo; its transaction and dialog layers are not used, because
// they run every message on a goroutine of its own and so lose the order of
// arrival.
//
// It does not own: what an SDP body says (media), whom a call is for (flows),
// or what happens next in a call (call). It knows when to offer and answer,
// never what.
//
// Goroutines: one reader a UDP socket; those of transport for connections;
// one for each Handler.Invited; one for each name lookup. A leg has none: what
// happens to it is done in order by whoever brings the news, and its events are
// posted to the loop of the call that owns it.
package sip
