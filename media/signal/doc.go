// Package signal listens: how loud a sound is, whether somebody speaks, and
// whether what comes is a call-progress tone instead of a voice.
//
// A Listener takes samples as they come, at 8 or 16 kHz, and works on steps of
// 10 ms. A tone is known by what it is made of (one or two steady frequencies
// below 1 kHz and nothing else) and by its cadence: any tone of the table in
// media/tone, and others that beat as regularly. It is told within two of its
// cadences, together with when it began, so that a recording can be cut there.
//
// The package is pure: no goroutines, no clock but the samples, and no
// allocation once a Listener is made. What to do about a tone is decided
// elsewhere. A Listener belongs to one goroutine at a time.
package signal
