// Package quality estimates what a listener would say of a call: the E-model of
// ITU-T G.107, as far as a switch can see what goes into it (delay, loss and its
// bursts, the codec), with the standard's default values for the rest.
//
// It is an estimate of the network's part only. Nobody has listened. It is pure
// arithmetic: no state, no goroutines.
package quality
