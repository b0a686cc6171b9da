// Package sdp reads, writes and negotiates session descriptions for audio:
// RFC 8866 as far as telephony uses it, offer/answer by RFC 3264, and the keys of
// encrypted streams by RFC 4568.
//
// The parser is tolerant where real phones and carriers are sloppy (missing
// t= or s=, b= before c=, unknown lines, bare LF) and strict where sloppiness
// hurts (ports, payload types, packet times, size). It is pure: no sockets, no
// names resolved, no goroutines. When to offer and to answer is the room sip's
// business; what to put into a description is the room media's.
package sdp
