package audio

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Limits bounds what Decode accepts. Zero values mean the defaults.
type Limits struct {
	Bytes    int64         // size of the file; default 32 MiB
	Duration time.Duration // length of the sound; default 30 minutes
	// Opus makes a decoder for Ogg Opus files; nil means that they are refused.
	Opus func() (OpusDecoder, error)
}

// OpusDecoder decodes one stream of Opus packets to mono at OpusRate.
// media/opus has it.
type OpusDecoder interface {
	Decode(dst []int16, packet []byte) int
}

// OpusRate is the rate of what Ogg Opus files decode to.
const OpusRate = 16000

const (
	defaultBytes    = 32 << 20
	defaultDuration = 30 * time.Minute

	// Rates outside this range are no speech or music file.
	minRate, maxRate = 4000, 192000
	maxChannels      = 8
)

// Errors of Decode; errors.Is finds them.
var (
	// ErrFormat says: no WAV, MP3 or Ogg Opus file, or a kind of it that is not
	// supported.
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

// stream is sound on its way out of a file.
type stream interface {
	// format is constant.
	format() (rate, channels int)
	// read fills dst with interleaved samples, whole blocks of all channels, and
	// ends with io.EOF.
	read(dst []int16) (int, error)
}

// blockSamples is how many samples are decoded at a time; any number of channels
// that is accepted divides it.
const blockSamples = 8 * 3 * 5 * 7 * 8

// Decode reads a WAV file (PCM of 16 bits, A-law or µ-law, plain or
// extensible), an MP3 file (MPEG-1 and MPEG-2 layer III), or with Limits.Opus
// an Ogg Opus file, told apart by content, and mixes it down to one channel.
func Decode(r io.Reader, l Limits) (Clip, error) {
	return DecodeAt(r, l, func(rate int) int { return rate })
}

// DecodeAt is Decode to a rate of one's own, which may follow from that of the
// file. The sound is converted on the way, so that no more memory is taken than
// for the result.
func DecodeAt(r io.Reader, l Limits, rate func(from int) int) (Clip, error) {
	s, err := open(r, l)
	if err != nil {
		return Clip{}, err
	}
	from, channels := s.format()
	out := Clip{Rate: from}
	var convert *Resampler
	if to := rate(from); to != from {
		out.Rate, convert = to, NewResampler(from, to)
	}
	// Pieces that are joined in the end take less than a slice that grows.
	var pieces [][]int16
	var last []int16
	err = drain(s, l.Duration, func(block []int16) {
		block = mixDown(block, channels)
		if convert == nil {
			last = append(last, block...)
		} else {
			last = convert.Push(last, block)
		}
		if len(last) >= pieceSamples {
			pieces, last = append(pieces, last), make([]int16, 0, len(last)+len(block))
		}
	})
	if err != nil {
		return Clip{}, err
	}
	if convert != nil {
		last = convert.Flush(last)
	}
	out.Samples = slices.Concat(append(pieces, last)...)
	return out, nil
}

// pieceSamples is about how long the pieces of a clip are while it is decoded.
const pieceSamples = 64 << 10

// DecodeSound is Decode without the mixing down.
func DecodeSound(r io.Reader, l Limits) (Sound, error) {
	s, err := open(r, l)
	if err != nil {
		return Sound{}, err
	}
	out := Sound{}
	out.Rate, out.Channels = s.format()
	err = drain(s, l.Duration, func(block []int16) { out.Samples = append(out.Samples, block...) })
	if err != nil {
		return Sound{}, err
	}
	return out, nil
}

// drain hands all blocks of a stream on, or fails when it lasts too long.
func drain(s stream, limit time.Duration, take func([]int16)) error {
	if limit <= 0 {
		limit = defaultDuration
	}
	rate, channels := s.format()
	left := maxSamples(limit, rate) * int64(channels)
	block := make([]int16, blockSamples)
	for {
		n, err := s.read(block)
		if left -= int64(n); left < 0 {
			return fmt.Errorf("decode audio: sound longer than %v: %w", limit, ErrTooLarge)
		}
		take(block[:n])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// open finds out what a file is and reads its head.
func open(r io.Reader, l Limits) (stream, error) {
	if l.Bytes <= 0 {
		l.Bytes = defaultBytes
	}
	br := bufio.NewReaderSize(&limitedReader{r: r, left: l.Bytes}, 16<<10)
	head, err := br.Peek(12)
	if err != nil && len(head) < 4 {
		if !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read audio: %w", err)
		}
		return nil, fmt.Errorf("decode audio of %d bytes: %w", len(head), ErrFormat)
	}
	switch {
	case len(head) == 12 && bytes.Equal(head[:4], []byte("RIFF")) && bytes.Equal(head[8:], []byte("WAVE")):
		return openWAV(br)
	case bytes.Equal(head[:4], []byte("OggS")):
		return openOgg(br, l.Opus)
	case bytes.Equal(head[:3], []byte("ID3")) || isMP3(head):
		return openMP3(br)
	}
	return nil, fmt.Errorf("decode audio: neither WAV, MP3 nor Ogg Opus: %w", ErrFormat)
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
