// Package guard stands between the network and the SIP stack.
//
// A Guard knows sources: how fast each one talks, how often it failed to prove
// itself, and which are banned for a while. A Conn is a net.PacketConn that uses
// it: it drops what is not SIP, answers keepalives (RFC 5626 §3.5.1), turns
// messages that are unusual but understandable into the form every parser reads,
// answers the hopeless ones with a stateless 400, and never ends its listener
// because of a read error.
//
// Everything is bounded: the sources remembered, and through Conn.Serve also the
// sources that the stack behind remembers. Dropping allocates nothing.
//
// The package knows the shape of SIP messages, not their meaning, and starts no
// goroutines.
package guard
