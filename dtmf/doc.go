// Package dtmf reads and writes keypad digits: RFC 4733 telephone-events, the
// bodies of SIP INFO, and the tones themselves.
//
// A Detector finds keys in sound. It cuts it into blocks of 5 ms and asks of every
// two of them for the strongest row and column (spectrum.go); when windows in
// sequence have the same pair, that stretch is measured: the frequencies between
// the bins, by phases; the amplitudes by least squares; the samples at which the
// tones begin and end (fit.go); and whether what is left is noise (residue.go).
// Only what passes all of it is a key, for as long as its windows go on
// (detector.go). One whose pieces are too short for that, because it was
// interrupted, is fitted as a whole (mend.go).
//
// It is pure: no sockets, no clock, no goroutines. Time comes in as arguments,
// packets go out as bytes; the room media decides when and where they travel.
// Collecting digits into an input (menus, type-ahead) belongs to the room ivr.
package dtmf
