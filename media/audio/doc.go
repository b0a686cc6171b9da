// Package audio is sound as files and as samples in memory: clips of linear
// PCM, WAV in and out, MP3 in, conversion between sample rates, plain tones.
//
// It owns file formats and nothing of telephony: no packets, no clock, no
// codec negotiation (media/codec has G.711 for the wire, this package only
// expands it when a WAV file carries it). MP3 is written by recorder.
//
// Files come from strangers (uploads, URLs), so every decoder here is bounded
// by Limits before it allocates and answers with an error, never a panic.
//
// It starts no goroutines. A Clip is never changed once made and may be
// shared; a Resampler and a WAVWriter belong to one goroutine at a time.
package audio
