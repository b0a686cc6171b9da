// Package peers starts telephones that others wrote: SIPp, Linphone and baresip, and sox to make and measure
// their sound.
//
// The phones of testbench/phone share one author with the switch; these do not, so a shared misreading of an
// RFC shows here. Each peer is a subprocess on loopback with a home and a configuration of its own in the
// test's temporary directory; it is ended, by its process id, when the test ends. A program that is not
// installed fails the test: nothing here is ever skipped (`make setup-test` installs them).
//
// Goroutines: one for each process that collects its output, gone once the process has been ended.
package peers
