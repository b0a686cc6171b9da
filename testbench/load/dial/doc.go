// Package dial makes and takes thousands of calls by SIP over one UDP socket.
//
// It owns: the messages of a caller and of the trunk that the switch sends calls
// on to, from INVITE to BYE; the repetitions that UDP asks for; descriptions of one
// stream; keys as SIP INFO. The messages are written and read by hand, as those of
// testbench/phone are, and a call costs some 50 µs.
//
// It does not own: the sound (testbench/load/stream), what is called and when.
//
// Goroutines: those of Run, one that reads the socket and one that repeats what was
// not answered.
package dial
