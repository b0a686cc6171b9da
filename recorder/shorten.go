package recorder

import (
	"fmt"
	"time"

	"b2bua/media/audio"
)

// FinishAt is Finish, and leaves out of the file what was heard after so much
// of its time line: what turned out to be no part of it. A recording that has
// ended stays as it is.
func (r *Recording) FinishAt(keep time.Duration) {
	r.ask.Do(func() {
		r.keep = max(keep, 1)
		r.close()
	})
}

// shorten cuts a complete file after so much of its time line.
func (p *paper) shorten(keep time.Duration) error {
	want := int64(keep) * int64(p.rate) / int64(time.Second)
	if want >= p.samples {
		return nil
	}
	var size int64
	size, p.samples = p.sink.upTo(want)
	if err := p.f.Truncate(size); err != nil {
		return fmt.Errorf("shorten the recording: %w", err)
	}
	if p.o.Format == WAV {
		if _, _, err := audio.RepairWAV(p.f, size); err != nil {
			return fmt.Errorf("shorten the recording: %w", err)
		}
	}
	p.sketch.shorten(p.samples, p.rate, p.channels)
	p.sum = nil // it was of the whole file
	return nil
}

// upTo is how long a file with so many samples (per channel) is.
func (s wavFile) upTo(samples int64) (size, kept int64) {
	return audio.WAVHeaderSize + 2*int64(s.channels)*samples, samples
}

// upTo counts in whole frames, which at a constant bit rate are equally long.
// What a frame needs of others lies before it.
func (s *mp3File) upTo(samples int64) (size, kept int64) {
	frame := int64(s.frame)
	n := min(max(samples/frame, minFrames), s.written)
	if s.written == 0 {
		return 0, 0
	}
	return s.size / s.written * n, min(samples, n*frame)
}

// kept is what FinishAt asked for, if anything.
func (r *Recording) kept() time.Duration {
	select {
	case <-r.finish:
		return r.keep
	default:
		return 0
	}
}
