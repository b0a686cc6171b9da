// Command load finds out how many calls fit on a machine.
//
// It calls a switch, plays the callers and the trunk that calls are sent on to,
// sends tones and keys, and checks what arrives: packets lost, twice, out of order,
// from the wrong call; how long they took; whether tone, level and keys are those
// that were sent. It tells what the switch spends on it, as a table and as JSON.
// With -switch it starts a switch of its own on loopback; with -target it calls
// one that runs already.
//
// It owns: what is tried and in which order, the switch it starts, the bare relay
// that a switch is compared with, the report. It does not own the streams
// (testbench/load/stream) nor the signalling (testbench/load/dial).
//
// Goroutines: one that holds the streams, two for the signalling, one that waits
// for the switch to end; all end with the run.
package main
