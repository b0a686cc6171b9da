// Package rtcp writes and reads the control packets of one stream between two
// (RFC 3550 §6): sender and receiver reports, the name of the source, the goodbye.
//
// Nothing is allocated in either direction. Reading is strict about lengths, which
// strangers write, and takes compounds that begin with whatever (RFC 5506). What
// is known about a stream, and when a report is due, is the business of media.
package rtcp
