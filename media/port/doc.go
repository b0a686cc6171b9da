// Package port is a UDP port and the ways of hearing it.
//
// Where the system has epoll (Linux) an FD is a raw socket that a Poll watches:
// one goroutine waits for all the sockets of a Poll at once and takes packets
// off them without ever blocking on one. Elsewhere, and on networks that are no
// sockets at all, a Reader has a goroutine that waits for its Conn. Both are
// sent through as a Socket.
//
// It knows nothing of RTP, and decides nothing: who is heard and who is sent to
// is for the owner to say.
//
// The package starts one goroutine for each Reader; Close and Wait end it.
package port
