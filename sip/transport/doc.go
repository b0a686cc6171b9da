// Package transport carries SIP messages over connections: TCP, TLS, WebSocket
// and secure WebSocket (RFC 3261 §18, RFC 5922, RFC 5923, RFC 7118).
//
// A Port is one listening address and the connections that belong to it: those
// that came in and those that it made. It cuts what it reads into whole messages,
// answers keep-alives (RFC 5626 §4.4.1), writes without making the caller wait,
// and decides how long a connection may stay: strangers get few connections and
// little time, and what a registration or a dialog depends on is kept. A Door
// counts the strangers of all Ports together.
//
// A connection that we made is found again by network, address and the name that
// the far end proved in its certificate, never by its address alone
// (CVE-2020-15260): a server that shares an address with a trunk is not the trunk.
//
// It does not own: what a message means, who is trusted, or what to answer when
// a message cannot be cut out. It asks its Owner. It never dials a WebSocket: a
// browser can be reached only over the connection it has opened.
//
// Goroutines: an acceptor a Port, a reader a connection, and one writer a
// connection while there is something to write; net/http's for a WebSocket until
// it is one. Port.Close ends them all and waits.
package transport
