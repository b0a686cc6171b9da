package media

import (
	"time"

	"b2bua/media/audio"
)

// convertTime is by how much a stream is late that goes from 8 to 16 kHz or back.
const convertTime = 5 * time.Millisecond

// converter brings frames from one sample rate to another. It remembers the
// stream that goes through it, and belongs to whoever hears that.
type converter struct {
	from, to int
	stream   *audio.Resampler
	made     []int16
}

// frame fills dst, at a rate, with what src says at its own.
func (c *converter) frame(dst []int16, to int, src []int16, from int) {
	if from == to {
		copy(dst, src)
		return
	}
	if c.stream == nil || c.from != from || c.to != to {
		c.from, c.to = from, to
		c.stream = audio.NewStream(from, to)
		c.made = make([]int16, 0, 2*maxFrame)
	}
	c.made = c.stream.Push(c.made[:0], src)
	clear(dst[copy(dst, c.made):])
}

// rest forgets the stream: what comes next does not run on from it.
func (c *converter) rest() {
	if c.stream != nil {
		c.stream.Reset()
	}
}
