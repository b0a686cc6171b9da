// Package phone is a softphone made of raw messages, for tests and for trying a
// switch from the command line.
//
// It has a SIP parser, transactions, digest, SDP and RTP of its own, written
// without those of the switch, so that a misreading of an RFC is not made twice.
// It runs on any net.PacketConn: on testbench/memnet in virtual time, or on a
// real socket; and, as a Stream, on a connection that it has made.
//
// A Phone owns its socket and one goroutine that reads it. Each Call owns its
// RTP socket and two goroutines, one that reads and one that speaks, besides the
// one of each INVITE or retransmission under way. Close ends all of them and
// waits.
//
// A Phone behaves: it answers OPTIONS, BYE, CANCEL, re-INVITE and INFO by
// itself, retransmits by the timers of RFC 3261 §17 and §13.3.1.4. Quirks make
// it misbehave.
//
// It encrypts its sound by SRTP where it is told to, with keys in its descriptions.
// It speaks G.711 only, and accepts no connections. It does not fork, refer, or acknowledge
// provisional responses reliably.
package phone
