// Package srtp encrypts and authenticates sound: the keys as session
// descriptions carry them (SDES, RFC 4568), and what they do to packets
// (RFC 3711, RFC 7714). The ciphers are pion's.
//
// A Sender and a Receiver belong to one stream in one direction, and to whoever
// handles its packets: they have no lock. Neither allocates for a packet that is
// well. A Sender never uses one piece of key stream for two packets, whatever it
// is given.
//
// A Key tells nobody what it is: not a log, not a format verb, not JSON. The only
// way out is Crypto.Attribute, which writes the line of a description.
//
// The package starts no goroutines and knows no sockets. Which description a key
// stands in is the business of media/sdp, when keys change that of media.
package srtp
