// Package stream holds thousands of RTP streams and hears what became of them.
//
// It owns: streams that send tones and digits at their packet time, spread over
// it; what arrives for them, which it holds against what was sent: packets lost,
// twice, out of order, from the wrong stream, how long they took, whether tone,
// level and digits are the ones that were sent.
//
// Sender and receiver are in one process, so that all times are of one clock. A
// packet is told apart by a stamp in the lowest bits of its octets, which is there
// as long as nobody decodes the sound. Where somebody does, the moment counts at
// which a tone begins after a pause.
//
// It does not own: how calls are made (testbench/load/dial).
//
// Goroutines: one for an Engine, while Run runs, on a thread of its own. It shares
// a few sockets among all streams and moves packets by the dozen (sendmmsg,
// recvmmsg), so that the machine is left to what is measured. It runs on Linux.
package stream
