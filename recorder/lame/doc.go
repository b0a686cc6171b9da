// Package lame is a binding to the LAME MP3 encoder, libmp3lame.so.0, loaded
// when it is first needed. There is no cgo: a machine without the library runs
// everything but MP3, and is told so by Available.
//
// It owns the encoder's settings for telephone recordings: constant bit rate,
// no bit reservoir and no Xing tag, so that every frame stands for itself and
// a file cut anywhere plays to its last whole frame. Files belong to recorder.
//
// It starts no goroutines. An Encoder belongs to one goroutine at a time.
package lame
