// Package dtmf reads and writes keypad digits: RFC 4733 telephone-events, the
// bodies of SIP INFO, and the tones themselves.
//
// It is pure: no sockets, no clock, no goroutines. Time comes in as arguments,
// packets go out as bytes; the room media decides when and where they travel.
// Collecting digits into an input (menus, type-ahead) belongs to the room ivr.
package dtmf
