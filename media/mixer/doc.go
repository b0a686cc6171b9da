// Package mixer lets several parties hear each other: everybody hears all the
// others and never itself.
//
// It owns sums, levels and edges: the sum of all is made once a tick and each
// party's own part taken out of it, so that nothing of its own voice comes back,
// to the last bit. A sum that is too loud is turned down, not cut off. Parties
// speak at 8 or 16 kHz; between the two there is one filter each way for the
// whole mixer. Who comes, goes or stops putting frames does so within 5 ms and
// without a click.
//
// The package is pure: it has no clock and starts no goroutines, and a tick
// allocates nothing. A Mixer with its parties belongs to one goroutine at a time.
package mixer
