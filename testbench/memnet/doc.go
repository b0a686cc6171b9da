// Package memnet is a network in memory, of UDP and of streams, made for
// testing/synctest.
//
// A Network connects any number of Conns by address. A Conn is a
// net.PacketConn and has the netip methods of *net.UDPConn, so that SIP
// transports and RTP engines run on it unchanged. Sending to an address nobody
// listens on is silently lost, as on a real network.
//
// ListenStream and DialStream make connections as TCP does: octets in order, after
// the same latency, a window that makes a writer wait, deadlines. TLS and HTTP run
// over them.
//
// Every wait is a channel receive, which is durably blocking inside a synctest
// bubble: make the Network and its Conns inside the bubble that uses them.
//
// Order is deterministic as long as the latency is not zero: datagrams that are
// due at one instant are handed over in the order of their senders' addresses
// and, for one sender, as they were sent, whatever the scheduler did.
//
// The package owns no goroutines: a datagram waits in the queue of its receiver
// until it is due and the reader sleeps until then.
package memnet
