// Package locate finds the addresses behind the host of a SIP URI (RFC 3263):
// NAPTR records say which transports a domain wants, SRV records which hosts
// serve them, A and AAAA records where those are.
//
// It owns: the order in which the addresses are to be tried (RFC 2782's
// priorities and weights, and who failed lately), a bounded cache by TTL that
// outlives a resolver which is down, one question on the wire however many ask
// it, and the DNS exchange itself, over UDP and, when truncated, TCP.
//
// It does not own: sending to the addresses, or saying which of them work; the
// caller tells that by Worked and Failed. Search lists are not used.
//
// Goroutines: Locate starts one for each question it asks at the same time and
// waits for them before it returns.
package locate
