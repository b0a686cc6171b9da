// Package jitter makes a steady stream of sound of packets that arrive whenever
// they like.
//
// Playout orders packets by RTP timestamp, drops duplicates, notices gaps,
// timestamp jumps and new streams, decodes, makes up sound for what is missing,
// plays comfort noise where the far end describes its silence, adapts how long it
// holds packets back to how unsteadily they come, and gives way to a far end
// whose clock is not quite ours. The package is pure: the caller says what time
// it is, and when a frame is due. It starts no goroutines.
package jitter
