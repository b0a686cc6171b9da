package codec

import g722lib "github.com/gotranspile/g722"

// g722 is ITU-T G.722 at 64 kbit/s: 16 kHz, two samples an octet. Its RTP clock
// counts at 8000 all the same, which was a mistake once (RFC 3551 §4.5.2). Each
// direction gets its history when it is first used.
type g722 struct {
	encoder *g722lib.Encoder
	decoder *g722lib.Decoder
}

func (*g722) Name() string    { return G722 }
func (*g722) ClockRate() int  { return 8000 }
func (*g722) SampleRate() int { return 16000 }

func (c *g722) Encode(dst []byte, pcm []int16) int {
	if c.encoder == nil {
		c.encoder = g722lib.NewEncoder(g722lib.Rate64000, 0)
	}
	n := min(len(dst), len(pcm)/2)
	return c.encoder.Encode(dst[:n], pcm[:2*n])
}

func (c *g722) Decode(dst []int16, payload []byte) int {
	if c.decoder == nil {
		c.decoder = g722lib.NewDecoder(g722lib.Rate64000, 0)
	}
	n := min(len(dst)/2, len(payload))
	return c.decoder.Decode(dst[:2*n], payload[:n])
}
