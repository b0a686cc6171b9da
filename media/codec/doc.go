// Package codec turns PCM into what travels in an RTP payload and back.
//
// It owns the speech codecs and their names, clock rates and static payload
// types. It knows nothing of packets, order or time: one payload in, samples
// out. It starts no goroutines. A Codec keeps history between frames, so that
// every direction of a stream takes one of its own from New; nothing needs
// closing. Opus is there where libopus is.
package codec
