// Package digest is SIP's HTTP digest authentication, both sides of it:
// challenging and verifying requests (RFC 3261 §22, RFC 7616, RFC 8760) and
// answering the challenges of others.
//
// It owns the nonces and what was seen of them. It knows no SIP message: header
// values go in and out as text. It starts no goroutines; a Challenger may be
// used from any.
//
// Only qop=auth is offered and spoken. What answers without qop (RFC 2069) is
// refused: nothing in it is counted, so it could be sent again.
package digest
