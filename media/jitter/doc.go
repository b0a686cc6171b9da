// Package jitter puts packets that arrive whenever they like onto a steady
// time line, and conceals what is missing.
//
// Buffer orders packets by RTP timestamp, drops duplicates, notices gaps,
// timestamp jumps and new streams, and adapts how long it holds packets back to
// how unsteadily they come. Concealer makes up G.711 sound for gaps. The package
// is pure: the caller says when a frame is due, and guards a Buffer when the
// receiver and the clock are different goroutines. It starts no goroutines.
package jitter
