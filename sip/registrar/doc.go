// Package registrar is the location service of RFC 3261 §10: which contacts a
// user can be reached at, and until when.
//
// It is a table and its rules. It reads no SIP message, sends nothing, starts
// nothing: the sip package authenticates a REGISTER, hands its facts in and
// writes the answer. Time is what the clock handed in says; a binding that has
// expired is never returned, Sweep only frees its memory.
package registrar
