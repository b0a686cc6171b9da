package codec

import libopus "b2bua/media/opus"

// opus is Opus at 16 kHz, mono; its RTP clock is 48000 whatever is inside
// (RFC 7587 §4.1). Each direction gets its state, some ten kilobytes, when it is
// first used.
type opus struct {
	encoder *libopus.Encoder
	decoder *libopus.Decoder
}

func (*opus) Name() string    { return Opus }
func (*opus) ClockRate() int  { return 48000 }
func (*opus) SampleRate() int { return libopus.SampleRate }

func (c *opus) Encode(dst []byte, pcm []int16) int {
	if c.encoder == nil {
		var err error
		if c.encoder, err = libopus.NewEncoder(); err != nil {
			return 0
		}
	}
	return c.encoder.Encode(dst, pcm)
}

func (c *opus) Decode(dst []int16, payload []byte) int {
	if !c.ready() {
		return 0
	}
	return c.decoder.Decode(dst, payload)
}

func (c *opus) Repair(dst []int16, next []byte) int {
	if !c.ready() {
		return 0
	}
	return c.decoder.Repair(dst, next)
}

func (c *opus) ready() bool {
	if c.decoder != nil {
		return true
	}
	var err error
	c.decoder, err = libopus.NewDecoder()
	return err == nil
}
