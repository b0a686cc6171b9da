// Package stir says who vouches for a caller's number: it reads the Identity
// header (RFC 8224) with its PASSporT (RFC 8225) in the form SHAKEN gives it
// (RFC 8588), and verifies it.
//
// A Verifier trusts the certificates that chain to its roots. It takes them from
// files it was given, or fetches them: from hosts on a list only, by HTTPS, with
// no redirects, within a time and a size, and never from addresses inside a
// private network. What it fetched it keeps for a while; what it keeps is
// bounded.
//
// It does not own: what the outcome means for the call (flows), or how the
// header reaches it (sip). It starts no goroutines; Verify waits for what it
// fetches.
package stir
