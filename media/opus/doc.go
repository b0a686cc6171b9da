// Package opus is the Opus codec (RFC 6716) by libopus, loaded at run time
// without cgo.
//
// It owns the loading of the library, and one encoder or decoder per direction
// at 16 kHz, mono. Where the library is missing Available says why, and nothing
// else works. It knows nothing of RTP. The state that C works on lies in Go's
// memory, so that there is nothing to close. It starts no goroutines; an Encoder
// or Decoder belongs to one goroutine at a time.
package opus
