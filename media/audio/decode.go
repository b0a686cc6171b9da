package audio

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"
)

// Limits bounds what Decode accepts. Zero values mean the defaults.
type Limits struct {
	Bytes    int64         // size of the file; default 32 MiB
	Duration time.Duration // length of the sound; default 30 minutes
}

const (
	defaultBytes    = 32 << 20
	defaultDuration = 30 * time.Minute

	// Rates outside this range are no speech or music file.
	minRate, maxRate = 4000, 192000
	maxChannels      = 8
)

// Errors of Decode; errors.Is finds them.
var (
	// ErrFormat says: no WAV or MP3 file, or a kind of it that is not supported.
	ErrFormat = errors.New("unsupported audio format")
	// ErrTooLarge says that the file or its sound is longer than the limits allow.
	ErrTooLarge = errors.New("audio exceeds the limit")
)

// Sound is decoded audio with its channels kept apart.
type Sound struct {
	Rate     int
	Channels int
	Samples  []int16 // interleaved
}

// Channel gives one channel of the sound as a clip.
func (s Sound) Channel(n int) Clip {
	out := make([]int16, 0, len(s.Samples)/s.Channels)
	for i := n; i < len(s.Samples); i += s.Channels {
		out = append(out, s.Samples[i])
	}
	return Clip{Rate: s.Rate, Samples: out}
}

// Decode reads a WAV file (PCM of 16 bits, A-law or µ-law, plain or
// extensible) or an MP3 file (MPEG-1 and MPEG-2 layer III), told apart by
// content, and mixes it down to one channel.
func Decode(r io.Reader, l Limits) (Clip, error) {
	s, err := DecodeSound(r, l)
	if err != nil {
		return Clip{}, err
	}
	return Clip{Rate: s.Rate, Samples: mixDown(s.Samples, s.Channels)}, nil
}

// DecodeSound is Decode without the mixing down.
func DecodeSound(r io.Reader, l Limits) (Sound, error) {
	if l.Bytes <= 0 {
		l.Bytes = defaultBytes
	}
	if l.Duration <= 0 {
		l.Duration = defaultDuration
	}
	br := bufio.NewReaderSize(&limitedReader{r: r, left: l.Bytes}, 16<<10)
	head, err := br.Peek(12)
	if err != nil && len(head) < 4 {
		if !errors.Is(err, io.EOF) {
			return Sound{}, fmt.Errorf("read audio: %w", err)
		}
		return Sound{}, fmt.Errorf("decode audio of %d bytes: %w", len(head), ErrFormat)
	}
	switch {
	case len(head) == 12 && bytes.Equal(head[:4], []byte("RIFF")) && bytes.Equal(head[8:], []byte("WAVE")):
		return decodeWAV(br, l.Duration)
	case bytes.Equal(head[:3], []byte("ID3")) || isMP3(head):
		return decodeMP3(br, l.Duration)
	}
	return Sound{}, fmt.Errorf("decode audio: neither WAV nor MP3: %w", ErrFormat)
}

func isMP3(head []byte) bool {
	_, ok := ParseMP3Header(head)
	return ok
}

// maxSamples is how many samples per channel fit in the limit.
func maxSamples(d time.Duration, rate int) int64 {
	return int64(d/time.Millisecond) * int64(rate) / 1000
}

// limitedReader is io.LimitReader that tells the limit from the end.
type limitedReader struct {
	r    io.Reader
	left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left <= 0 {
		// One byte more than allowed decides between end and excess.
		var one [1]byte
		n, err := io.ReadFull(l.r, one[:])
		if n > 0 {
			return 0, ErrTooLarge
		}
		return 0, err
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}
