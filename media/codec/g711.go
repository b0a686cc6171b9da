package codec

import "github.com/zaf/g711"

// mulaw is G.711 µ-law, PCMU. The per-sample functions are table look-ups and
// allocate nothing, unlike the library's slice functions.
type mulaw struct{}

func (mulaw) Name() string    { return PCMU }
func (mulaw) ClockRate() int  { return 8000 }
func (mulaw) SampleRate() int { return 8000 }

func (mulaw) Encode(dst []byte, pcm []int16) int {
	n := min(len(dst), len(pcm))
	for i, s := range pcm[:n] {
		dst[i] = g711.EncodeUlawFrame(s)
	}
	return n
}

func (mulaw) Decode(dst []int16, payload []byte) int {
	n := min(len(dst), len(payload))
	for i, b := range payload[:n] {
		dst[i] = g711.DecodeUlawFrame(b)
	}
	return n
}

// alaw is G.711 A-law, PCMA.
type alaw struct{}

func (alaw) Name() string    { return PCMA }
func (alaw) ClockRate() int  { return 8000 }
func (alaw) SampleRate() int { return 8000 }

func (alaw) Encode(dst []byte, pcm []int16) int {
	n := min(len(dst), len(pcm))
	for i, s := range pcm[:n] {
		dst[i] = g711.EncodeAlawFrame(s)
	}
	return n
}

func (alaw) Decode(dst []int16, payload []byte) int {
	n := min(len(dst), len(payload))
	for i, b := range payload[:n] {
		dst[i] = g711.DecodeAlawFrame(b)
	}
	return n
}
