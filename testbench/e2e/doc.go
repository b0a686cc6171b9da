// Package e2e holds the tests of the built switch: bin/b2bua as a process, real phones and SIPp as its peers, the
// HTTP API and a webhook receiver as its customer. They are built with the tag e2e and run by `make e2e`.
//
// What a test can prove with phones in memory is proven in testbench, faster and on virtual time. Here is what
// needs real programs, real sockets, real time: that what others wrote understands us, that sound arrives at the
// level it left with, that thousands of calls leave nothing behind.
//
// The package owns no goroutines but those of its webhook receivers, which end with their test.
package e2e
