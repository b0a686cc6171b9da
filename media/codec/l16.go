package codec

import "encoding/binary"

// l16 is linear PCM of 16 bits in network byte order (RFC 3551 §4.5.11), mono.
type l16 struct{ rate int }

func (l16) Name() string      { return L16 }
func (c l16) ClockRate() int  { return c.rate }
func (c l16) SampleRate() int { return c.rate }

func (l16) Encode(dst []byte, pcm []int16) int {
	n := min(len(dst)/2, len(pcm))
	for i, s := range pcm[:n] {
		binary.BigEndian.PutUint16(dst[2*i:], uint16(s))
	}
	return 2 * n
}

// Decode makes nothing of half a sample: such a payload is not what it claims.
func (l16) Decode(dst []int16, payload []byte) int {
	if len(payload)%2 != 0 {
		return 0
	}
	n := min(len(dst), len(payload)/2)
	for i := range n {
		dst[i] = int16(binary.BigEndian.Uint16(payload[2*i:]))
	}
	return n
}
