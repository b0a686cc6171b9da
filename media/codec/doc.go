// Package codec turns PCM into what travels in an RTP payload and back.
//
// It owns the speech codecs and their names, clock rates and static payload
// types. It knows nothing of packets, order or time: one payload in, samples
// out. It starts no goroutines; a Codec of this package is stateless and may
// be shared, but callers must take a fresh one per direction from New, because
// later codecs keep history between frames.
package codec
