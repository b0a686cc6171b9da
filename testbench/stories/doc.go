// Package stories tells what the switch does as calls: the whole of it, from the
// API to the sound, with phones in memory and on virtual time.
//
// Each story is a test. It sets the switch up by the API, lets phones call,
// press keys and talk, and looks at what came of it: the SIP messages, compared
// with a ladder kept in testdata; what the parties heard; the events that the
// customer's server received; what the API says of the call. When it is over
// nothing may be left: no call, no port, no dialog, no goroutine.
//
// The package owns the stage on which the stories play: the network in memory,
// the customer's web server, the clock. It tests no room by itself, and has no
// code but that of its tests.
//
//	go test ./testbench/stories -update
//
// keeps the ladders as they are now. Read their difference before you commit it.
package stories
